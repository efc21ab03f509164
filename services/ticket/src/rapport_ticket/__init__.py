"""Rapport's ticket service."""
