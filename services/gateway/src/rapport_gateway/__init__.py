"""Rapport's gateway service."""
