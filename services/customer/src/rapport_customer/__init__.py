"""Rapport's customer service."""
