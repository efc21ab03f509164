"""Rapport's scoring service."""
