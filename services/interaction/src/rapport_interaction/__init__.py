"""Rapport's interaction service."""
