"""One role and one database for each service; none can connect to another's."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

import asyncpg

from deploy.local.secret_book import SecretBook

__all__ = ["database_dsn", "ensure_databases"]


async def ensure_databases(administrator: str, services: Iterable[str], book: SecretBook) -> dict[str, str]:
    """Makes what is missing and returns the services' DSNs; may be repeated."""
    dsns = {}
    connection = await asyncpg.connect(administrator)
    try:
        for service in services:
            name = f"rapport_{service}"
            await _ensure_role(connection, name, book.secret(f"database of {service}"))
            await _ensure_database(connection, name)
            dsns[service] = database_dsn(administrator, name, book.secret(f"database of {service}"))
    finally:
        await connection.close()
    return dsns


def database_dsn(administrator: str, name: str, password: str) -> str:
    """The DSN of the role and database `name` on the administrator's server."""
    address = urlsplit(administrator)
    location = address.netloc.rpartition("@")[2]
    return address._replace(netloc=f"{name}:{password}@{location}", path=f"/{name}").geturl()


async def _ensure_role(connection: asyncpg.Connection, name: str, password: str) -> None:
    exists = await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", name)
    verb = "ALTER" if exists else "CREATE"
    # Names and URL-safe passwords are ours: neither can hold a quote.
    await connection.execute(f"{verb} ROLE \"{name}\" LOGIN PASSWORD '{password}'")


async def _ensure_database(connection: asyncpg.Connection, name: str) -> None:
    if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name):
        await connection.execute(f'GRANT "{name}" TO CURRENT_USER')
        await connection.execute(f'CREATE DATABASE "{name}" OWNER "{name}" TEMPLATE template0 ENCODING UTF8')
    await connection.execute(f'REVOKE CONNECT ON DATABASE "{name}" FROM PUBLIC')
