"""A look at everything that has to hold for events to flow."""

import asyncio
from dataclasses import dataclass

import asyncpg
from aiokafka.errors import KafkaError

from rapport_shared.database import CONNECTION_LOST, Database
from rapport_shared.gathering import counted
from rapport_shared.messaging import topics
from rapport_shared.operations.stack import NamedStack
from rapport_shared.operations.status import ProcessState, ask_processes

KAFKA_PATIENCE_SECONDS = 10
OLDEST_MESSAGE_SECONDS = 60

_QUEUES = f"""
SELECT {counted("dead_letter", "state IN ('open', 'replaying')")} AS letters,
       {counted("parked_aggregate")} AS parked,
       coalesce(extract(epoch FROM now() - (SELECT queued_at FROM outbox ORDER BY id LIMIT 1)), 0)::float AS age
"""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at."""

    what: str
    well: bool
    detail: str

    def __str__(self) -> str:
        return f"{'ok   ' if self.well else 'AMISS'} {self.what}: {self.detail}"


async def examine(stack: NamedStack) -> list[Finding]:
    """Findings about the broker, the topics, each database and each process of `stack`. Writes nothing."""
    findings = [] if stack.kafka is None else await _examine_kafka(stack.kafka, stack.partitions)
    for service, dsn in stack.databases.items():
        findings.extend(await _examine_database(service, dsn))
    return findings + [_of_process(state) for state in await ask_processes(stack.processes)]


async def _examine_kafka(servers: str, partitions: int) -> list[Finding]:
    try:
        async with asyncio.timeout(KAFKA_PATIENCE_SECONDS), topics.administration(servers) as client:
            changes = await topics.plan(client, partitions)
    except (KafkaError, OSError, TimeoutError, ValueError) as error:
        return [Finding("kafka", False, f"no broker answers at {servers} ({type(error).__name__})")]
    except topics.TopicsDiffer as error:
        return [Finding("kafka", True, "answers"), Finding("topics", False, str(error))]
    detail = "as the catalogue says" if not changes else "; ".join(str(change) for change in changes)
    return [Finding("kafka", True, f"answers at {servers}"), Finding("topics", not changes, detail)]


async def _examine_database(service: str, dsn: str) -> list[Finding]:
    try:
        async with Database(dsn, size=2, application="rapport-doctor") as database:
            halts = await database.fetch("SELECT role, reason FROM halt ORDER BY role")
            row = await database.fetch_row(_QUEUES)
    except (asyncpg.UndefinedTableError, asyncpg.UndefinedColumnError):
        return [Finding(f"{service} migrations", False, "have not been run")]
    except (asyncpg.PostgresError, *CONNECTION_LOST) as error:
        return [Finding(f"{service} database", False, f"does not answer ({type(error).__name__})")]
    assert row is not None
    halted = "; ".join(f"{halt['role']}: {halt['reason']}" for halt in halts)
    flows = row["parked"] == 0 and row["age"] < OLDEST_MESSAGE_SECONDS
    return [
        Finding(f"{service} roles", not halts, halted or "none is halted"),
        Finding(f"{service} dead letters", row["letters"] == 0, str(row["letters"])),
        Finding(f"{service} outbox", flows, f"oldest message {max(0.0, row['age']):.0f} s, {row['parked']} parked"),
    ]


def _of_process(state: ProcessState) -> Finding:
    return Finding(f"{state.name} process", state.ready, "; ".join(state.amiss) or state.state)
