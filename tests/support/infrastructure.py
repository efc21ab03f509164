"""Real Kafka and PostgreSQL for tests: started once per session by the ladder, stopped at its end.

Loaded as a plugin by `tests/conftest.py`. What is missing fails the tests that need it, with the reason.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest_asyncio

from deploy.local.errors import LocalStackError
from deploy.local.infrastructure import CHECKOUT, DirectoryInUseError, Infrastructure, infrastructure
from tests.support.containers import infrastructure_in_containers, wants_containers

__all__ = ["Databases", "databases", "infrastructure_of_tests"]

_PARALLEL_SESSIONS = 8


@dataclass(slots=True)
class Databases:
    """Makes fresh databases on the test server, each a copy of a template that was migrated once."""

    administrator: str
    _templates: dict[str, str] = field(default_factory=dict)

    async def create(self, template: str | None = None) -> str:
        """The DSN of a new database, a copy of `template` (a database's name) where one is given."""
        name = f"test_{secrets.token_hex(6)}"
        await self._execute(f'CREATE DATABASE "{name}" TEMPLATE "{template or "template0"}"')
        return self.dsn(name)

    async def drop(self, dsn: str) -> None:
        """Removes a database that `create` made, whoever is still connected to it."""
        await self._execute(f'DROP DATABASE IF EXISTS "{urlsplit(dsn).path[1:]}" WITH (FORCE)')

    async def template(self, key: str, prepare: Callable[[str], Awaitable[None]]) -> str:
        """The name of the template database `key`; `prepare(dsn)` migrates it, once per session.

        `prepare` must have closed its connections when it returns.
        """
        if key not in self._templates:
            dsn = await self.create()
            await prepare(dsn)
            self._templates[key] = urlsplit(dsn).path[1:]
        return self._templates[key]

    @asynccontextmanager
    async def fresh(self, template: str | None = None) -> AsyncIterator[str]:
        """The DSN of a new database that is dropped at the end."""
        dsn = await self.create(template)
        try:
            yield dsn
        finally:
            await self.drop(dsn)

    async def drop_templates(self) -> None:
        """Removes every template, for the server may outlive the session."""
        for name in self._templates.values():
            await self.drop(self.dsn(name))
        self._templates.clear()

    def dsn(self, name: str) -> str:
        """The administrator's DSN of the database `name`."""
        return urlsplit(self.administrator)._replace(path=f"/{name}").geturl()

    async def _execute(self, statement: str) -> None:
        connection = await asyncpg.connect(self.administrator)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()


@asynccontextmanager
async def infrastructure_of_tests() -> AsyncIterator[Infrastructure]:
    """Containers where `RAPPORT_TEST_CONTAINERS` is 1; else the ladder, in a directory of this session alone."""
    async with AsyncExitStack() as stack:
        if wants_containers(os.environ):
            yield await stack.enter_async_context(infrastructure_in_containers())
        else:
            yield await _enter_free_directory(stack, CHECKOUT / ".rapport" / "test")


async def _enter_free_directory(stack: AsyncExitStack, root: Path) -> Infrastructure:
    for number in range(_PARALLEL_SESSIONS):
        with suppress(DirectoryInUseError):
            return await stack.enter_async_context(infrastructure(root / str(number), fresh=True))
    raise LocalStackError(f"{_PARALLEL_SESSIONS} test sessions run already in {root}")


@pytest_asyncio.fixture(scope="session", name="infrastructure")
async def _infrastructure() -> AsyncIterator[Infrastructure]:
    """Kafka and PostgreSQL of this test session."""
    async with infrastructure_of_tests() as found:
        yield found


@pytest_asyncio.fixture(scope="session")
async def databases(infrastructure: Infrastructure) -> AsyncIterator[Databases]:
    """Fresh databases on the session's PostgreSQL."""
    made = Databases(infrastructure.postgres)
    yield made
    await made.drop_templates()


@pytest_asyncio.fixture
async def database(databases: Databases) -> AsyncIterator[str]:
    """The DSN of an empty database of this test alone."""
    async with databases.fresh() as dsn:
        yield dsn
