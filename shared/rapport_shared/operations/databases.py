"""A service's database, opened for a command; what is wrong with it is said with the service's name."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from rapport_shared.database import CONNECTION_LOST, Database


class ServerAway(Exception):
    """A server does not answer or refuses. The message says which."""


@asynccontextmanager
async def database_of(service: str, dsn: str) -> AsyncIterator[Database]:
    """The database of `service`. Raises `ServerAway` for what PostgreSQL and its driver raise in the body."""
    try:
        async with Database(dsn, size=2, application="rapport-operations") as database:
            yield database
    except (asyncpg.UndefinedTableError, asyncpg.UndefinedColumnError) as error:
        raise ServerAway(f"the migrations of {service} have not been run") from error
    except (asyncpg.PostgresError, *CONNECTION_LOST) as error:
        raise ServerAway(f"the database of {service} does not answer or refuses ({type(error).__name__})") from error
