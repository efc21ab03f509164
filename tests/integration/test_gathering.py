"""Figures of the database in the metrics: right, asked for now and then, and kept while the database is away."""

import asyncio

from rapport_shared.clock import system_clock
from rapport_shared.database import Database
from rapport_shared.gathering import Gathering, counted, message_metrics
from rapport_shared.messaging.dead_letters import LetterFilter, dismiss
from rapport_shared.messaging.halts import halt
from rapport_shared.telemetry import Metrics
from tests.support.conditions import until
from tests.support.consumed_words import CONSUMER, World


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(name, labels)


async def test_outbox_dead_letters_and_halts_are_gathered(world: World) -> None:
    metrics = Metrics()
    gather = message_metrics(world.database, metrics)
    await gather()
    assert value(metrics, "rapport_consumer_halted", consumer="relay") == 0
    await world.publish("bad one", "bad two", "after")
    async with world.consuming():
        await until("what comes after", lambda: world.has_consumed("after"))
    async with world.database.transaction() as connection:
        await halt(connection, "relay", "its ground is gone")
        await connection.execute("INSERT INTO parked_aggregate (aggregate, reason) VALUES ('a', 'refused')")
        await connection.execute("UPDATE outbox SET queued_at = now() - interval '90 seconds'")
    await gather()
    assert value(metrics, "rapport_dead_letter_rows") == 2
    assert value(metrics, "rapport_outbox_rows") == 2
    assert value(metrics, "rapport_outbox_parked") == 1
    assert (value(metrics, "rapport_outbox_age_seconds") or 0) >= 90
    assert value(metrics, "rapport_consumer_halted", consumer="relay") == 1
    assert value(metrics, "rapport_consumer_halted", consumer=CONSUMER) == 0
    async with world.database.transaction() as connection:
        await dismiss(connection, LetterFilter(ids=[1]))
        await connection.execute("DELETE FROM halt")
    await gather()
    assert value(metrics, "rapport_dead_letter_rows") == 1
    assert value(metrics, "rapport_consumer_halted", consumer="relay") == 0


async def test_counting_stops_at_its_limit(world: World) -> None:
    query = f"SELECT {counted('generate_series(1, 200000)')}"
    assert await world.database.fetch_value(query) == 100_000


async def test_many_who_ask_cost_one_question(world: World) -> None:
    asked = 0

    async def source() -> None:
        nonlocal asked
        asked += 1
        await world.database.fetch_value("SELECT 1")

    metrics = Metrics()
    gathering = Gathering([source], metrics, system_clock)
    await asyncio.gather(*(gathering() for _ in range(20)))
    assert asked == 1
    assert (value(metrics, "rapport_gathered_timestamp_seconds") or 0) > 0


async def test_a_database_that_is_away_leaves_the_figures_and_says_since_when() -> None:
    metrics = Metrics()
    metrics.outbox_rows.set(7)
    async with Database("postgresql://nobody@127.0.0.1:1/nothing", size=1, application="test") as away:
        await Gathering([message_metrics(away, metrics)], metrics, system_clock)()
    assert value(metrics, "rapport_outbox_rows") == 7
    assert value(metrics, "rapport_gathered_timestamp_seconds") == 0
