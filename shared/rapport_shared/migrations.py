"""Alembic with raw SQL: one advisory lock, bounded lock waits, one transaction a migration."""

import asyncio
from importlib import import_module
from pathlib import Path
from typing import Any

from alembic import command, context, op
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

_MIGRATION_LOCK = 0x5261_7070_6F72_7401


def migrate(package: str, dsn: str) -> None:
    """Brings the database at `dsn` to the newest migration of `package` (a service's import name).

    May be repeated, and run by several at once: the second waits for the first. Raises what PostgreSQL raises;
    a failed migration leaves nothing behind.
    """
    module = import_module(package)
    location = Path(str(module.__file__)).parent / "migrations"
    configuration = Config()
    configuration.set_main_option("script_location", str(location))
    configuration.attributes["dsn"] = dsn
    command.upgrade(configuration, "head")


def run_environment() -> None:
    """What a service's `migrations/env.py` calls."""
    asyncio.run(_run(context.config.attributes["dsn"]))


def run_sql(statements: str) -> None:
    """Runs `statements` (any number of them) inside the migration's transaction, on the driver's own connection.

    The dialect would take `:name` for a parameter and refuse more than one statement.
    """
    bind = op.get_bind()
    bind.execute(text("SELECT 1"))  # makes the adapter begin the transaction that the raw statement must be part of
    adapted: Any = bind.connection.dbapi_connection
    adapted.run_async(lambda connection: connection.execute(statements))


async def _run(dsn: str) -> None:
    engine = create_async_engine(dsn.replace("postgresql://", "postgresql+asyncpg://", 1), poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            await connection.run_sync(_upgrade)
    finally:
        await engine.dispose()


def _upgrade(connection: Connection) -> None:
    connection.execute(text("SET lock_timeout = '10s'"))
    connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": _MIGRATION_LOCK})
    connection.commit()
    context.configure(connection=connection, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()
    connection.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": _MIGRATION_LOCK})
    connection.commit()
