"""A look at everything that has to hold for events to flow."""

from dataclasses import dataclass
from urllib.parse import urlsplit

import asyncpg
from aiokafka.errors import KafkaError

from rapport_shared.database import CONNECTION_LOST, Database
from rapport_shared.messaging import topics


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at."""

    what: str
    well: bool
    detail: str


async def examine(servers: str, databases: list[str], partitions: int) -> list[Finding]:
    """Findings about the broker, the topics and each database. Writes nothing."""
    findings = await _examine_kafka(servers, partitions)
    for dsn in databases:
        findings.extend(await _examine_database(dsn))
    return findings


async def _examine_kafka(servers: str, partitions: int) -> list[Finding]:
    try:
        async with topics.administration(servers) as client:
            changes = await topics.plan(client, partitions)
    except (KafkaError, OSError) as error:
        return [Finding("kafka", False, f"no broker answers at {servers} ({type(error).__name__})")]
    except topics.TopicsDiffer as error:
        return [Finding("kafka", True, "answers"), Finding("topics", False, str(error))]
    detail = "as the catalogue says" if not changes else "; ".join(str(change) for change in changes)
    return [Finding("kafka", True, f"answers at {servers}"), Finding("topics", not changes, detail)]


async def _examine_database(dsn: str) -> list[Finding]:
    name = urlsplit(dsn).path.lstrip("/")
    try:
        async with Database(dsn, size=2, application="rapport-doctor") as database:
            halts = await database.fetch("SELECT role, reason FROM halt ORDER BY role")
            letters = await database.fetch_value("SELECT count(*) FROM dead_letter")
            parked = await database.fetch_value("SELECT count(*) FROM parked_aggregate")
            age = await database.fetch_value(
                "SELECT coalesce(extract(epoch FROM now() - min(queued_at)), 0)::float FROM outbox"
            )
    except asyncpg.UndefinedTableError:
        return [Finding(f"{name} migrations", False, "have not been run")]
    except (asyncpg.PostgresError, *CONNECTION_LOST) as error:
        return [Finding(name, False, f"the database does not answer ({type(error).__name__})")]
    halted = "; ".join(f"{row['role']}: {row['reason']}" for row in halts)
    return [
        Finding(f"{name} roles", not halts, halted or "none is halted"),
        Finding(f"{name} dead letters", letters == 0, str(letters)),
        Finding(f"{name} outbox", parked == 0 and age < 60, f"oldest message {age:.0f} s, {parked} parked"),
    ]
