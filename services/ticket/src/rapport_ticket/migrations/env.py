"""Alembic's environment: raw SQL on asyncpg, as for every service."""

from rapport_shared.migrations import run_environment

run_environment()
