"""What was there before mending came: anonymous touchpoints are listed, runs of the view get their indexes."""

import asyncio
from uuid import UUID, uuid4

import asyncpg
import orjson
from alembic import command
from alembic.config import Config

from rapport_gateway.projection.store.tables import RUN_TABLES
from rapport_shared.contracts.envelope import instant_text
from rapport_shared.migrations import migrate
from tests.support.infrastructure import Databases
from tests.support.interaction_service import NOON, touchpoint


def upgrade_to(revision: str, package: str, dsn: str) -> None:
    configuration = Config()
    configuration.set_main_option("script_location", f"{package}:migrations")
    configuration.attributes["dsn"] = dsn
    command.upgrade(configuration, revision)


async def test_what_was_anonymous_before_is_described_and_the_quarantine_is_open(databases: Databases) -> None:
    body = touchpoint(channel="chat", kind="chat.message", unit="cn/东部")
    event_id, interaction_id = UUID(body["id"]), uuid4()
    async with databases.fresh() as dsn:
        await asyncio.to_thread(upgrade_to, "0001", "rapport_interaction", dsn)
        connection = await asyncpg.connect(dsn)
        try:
            await connection.execute(
                "INSERT INTO event_log (event_id, topic, type, aggregate, sequence, recorded_at, key, headers, value) "
                "VALUES ($1, 't', 'rapport.interaction.recorded.v1', 'interaction:x', 1, $2, '', $3, $4)",
                event_id,
                NOON,
                orjson.dumps({"ce_time": instant_text(NOON)}).decode(),
                orjson.dumps({"channel": "chat", "kind": "chat.message", "unit": "cn/东部", "touchpoint": body}),
            )
            for touchpoint_id, profile_id in ((event_id, None), (uuid4(), uuid4())):
                await connection.execute(
                    "INSERT INTO touchpoint VALUES ($1, '', 1, $2, $3, $4)",
                    touchpoint_id,
                    event_id,
                    interaction_id,
                    profile_id,
                )
            await connection.execute(
                "INSERT INTO quarantine (quarantine_id, reason, errors, headers, body, received_at) "
                "VALUES ($1, 'missing', '[]', '{}', '{}', $2)",
                uuid4(),
                NOON,
            )
            await asyncio.to_thread(migrate, "rapport_interaction", dsn)
            rows = await connection.fetch("SELECT * FROM touchpoint WHERE profile_id IS NULL")
            assert [(row["channel"], row["kind"], row["unit"], row["occurred_at"]) for row in rows] == [
                ("chat", "chat.message", "cn/东部", NOON)
            ]
            assert await connection.fetchval("SELECT state FROM quarantine") == "open"
        finally:
            await connection.close()


async def test_the_runs_of_the_view_that_are_there_get_the_indexes_of_new_ones(databases: Databases) -> None:
    added = ("fact_retraction", "fact_quarantine", "fact_conflict")
    async with databases.fresh() as dsn:
        await asyncio.to_thread(upgrade_to, "0003", "rapport_gateway", dsn)
        connection = await asyncpg.connect(dsn)
        try:
            for schema, without in (("view_1", added), ("view_2", ())):
                await connection.execute(f"CREATE SCHEMA {schema}; SET search_path TO {schema}, public; {RUN_TABLES}")
                for index in without:
                    await connection.execute(f"DROP INDEX {index}")
            await asyncio.to_thread(migrate, "rapport_gateway", dsn)
            indexes = {
                schema: {
                    row["indexname"]: row["indexdef"].replace(schema, "")
                    for row in await connection.fetch("SELECT * FROM pg_indexes WHERE schemaname = $1", schema)
                }
                for schema in ("view_1", "view_2")
            }
            assert indexes["view_1"] == indexes["view_2"]
            assert set(added) <= indexes["view_1"].keys()
        finally:
            await connection.close()
