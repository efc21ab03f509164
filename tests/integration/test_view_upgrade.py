"""A run that an earlier release made goes on under this one, and becomes what a rebuild would make."""

import asyncio
import random
from collections.abc import Sequence
from uuid import UUID

import orjson

from rapport_gateway.projection.projector import Projector
from rapport_gateway.projection.store.runs import Run, live_run
from rapport_gateway.projection.store.tables import FORM
from rapport_gateway.view.facts import Fact, read_fact
from rapport_gateway.view.sections import SECTIONS
from rapport_shared.clock import system_clock
from rapport_shared.contracts.codec import Message
from rapport_shared.database import Database
from rapport_shared.migrations import migrate
from tests.support.infrastructure import Databases
from tests.support.scoring_facts import as_record
from tests.support.view_facts import Sections, ViewFacts, sections_of

FORMER = """
CREATE TABLE document_reference (refers_to text NOT NULL, item text NOT NULL, PRIMARY KEY (refers_to, item));
CREATE INDEX partial_document ON partial (item, profile_id) WHERE section = 'commerce';
INSERT INTO partial SELECT profile_id, 'commerce', 'order:shop:' || profile_id, '{}' FROM membership;
INSERT INTO partial
SELECT profile_id, part, '', state FROM partial, unnest(ARRAY['value', 'segments']) AS part WHERE section = 'score';
DELETE FROM partial WHERE section = 'score' OR section IN ('tickets', 'promises', 'assets', 'quality') AND item = '';
ALTER TABLE partial DROP COLUMN rank;
DROP INDEX fact_contact;
UPDATE customer_view SET commerce = '{"orders":1,"waiting":0}';
UPDATE view_run SET form = 1;
"""
"""Makes of a run one as the release before kept it."""


async def test_a_run_of_before_goes_on_and_becomes_what_a_rebuild_makes(databases: Databases) -> None:
    async def prepare(dsn: str) -> None:
        await asyncio.to_thread(migrate, "rapport_gateway", dsn)

    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    messages = ViewFacts(seed, profiles=8).happen(300)
    before, after = messages[:200], messages[200:]
    async with databases.fresh(await databases.template("gateway", prepare)) as dsn:
        async with Database(dsn, size=1, application="test") as database, database.connection() as connection:
            run = await live_run(connection)
        async with _tables(dsn, run) as tables:
            await _project(run, tables, before)
            async with tables.connection() as connection:
                await connection.execute(FORMER)
        async with _tables(dsn, run) as tables:
            await _project(run, tables, after)
            assert await _sections(tables) == sections_of(messages), f"seed {seed}"
            assert await tables.fetch_value("SELECT form FROM view_run") == FORM
            assert await tables.fetch_value("SELECT to_regclass('document_reference')") is None
            for index in ("partial_listed", "fact_contact"):
                assert await tables.fetch_value("SELECT to_regclass($1)", index) is not None


def _tables(dsn: str, run: Run) -> Database:
    return Database(dsn, size=2, application="test", search_path=f"{run.schema}, public")


async def _project(run: Run, tables: Database, messages: Sequence[Message]) -> None:
    """A projector of its own takes over, reads messages, and finishes what is left to do."""
    projector = Projector(run, tables, system_clock, _nobody)
    facts = [fact for message in messages if (fact := read_fact(as_record(message))) is not None]
    for start in range(0, len(facts), 50):
        await _apply(projector, tables, facts[start : start + 50])
    await projector.subscription().caught_up()


async def _apply(projector: Projector, tables: Database, facts: Sequence[Fact]) -> None:
    async with tables.transaction() as connection:
        await projector.apply(connection, facts)
    await projector.subscription().committed()


async def _nobody() -> None:
    return


async def _sections(tables: Database) -> Sections:
    rows = await tables.fetch(f"SELECT customer_id, {', '.join(SECTIONS)} FROM customer_view WHERE moved_to IS NULL")
    found: dict[UUID, dict[str, str]] = {row["customer_id"]: {name: row[name] for name in SECTIONS} for row in rows}
    assert all(
        orjson.loads(text) is not None or name == "value" for one in found.values() for name, text in one.items()
    )
    return found
