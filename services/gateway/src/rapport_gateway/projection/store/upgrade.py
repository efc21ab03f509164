"""Brings a run that an earlier release made to the form in which this release keeps partials.

The writer of the run does so before anything else, and no migration: until it loses the run, the earlier release
goes on writing in its own form.
"""

from typing import Final

import orjson

from rapport_gateway.projection.store.customers import Parts, save_parts
from rapport_gateway.projection.store.facts import as_fact
from rapport_gateway.projection.store.tables import CONTACT_INDEX, FORM, LISTED_INDEX
from rapport_gateway.view import score
from rapport_gateway.view.facts import State
from rapport_gateway.view.listing import TOTALS, changed_totals
from rapport_gateway.view.sections import LISTED, Place
from rapport_shared.database import Connection

_PAGE: Final = 500
_WITH_RANKS: Final = 2
"""The first form in which items have ranks and scores are kept once."""
_LATEST_SCORES: Final = """
SELECT f.* FROM membership m CROSS JOIN LATERAL (
    SELECT * FROM fact WHERE type = 'score.updated' AND subject = m.profile_id::text ORDER BY recorded_at DESC LIMIT 1
) f ORDER BY m.profile_id
"""
_LISTED: Final = """
SELECT profile_id, section, item, state FROM partial WHERE section = ANY($1) AND item <> '' ORDER BY profile_id, section
"""
_COLUMNS: Final = f"""
ALTER TABLE partial ADD COLUMN IF NOT EXISTS rank bigint;
{LISTED_INDEX.replace("INDEX", "INDEX IF NOT EXISTS")}
{CONTACT_INDEX.replace("INDEX", "INDEX IF NOT EXISTS")}
"""
_FORMER: Final = """
DELETE FROM partial WHERE section IN ('commerce', 'value', 'segments');
DROP INDEX IF EXISTS partial_document;
DROP TABLE IF EXISTS document_reference;
"""
_RENDER_ALL: Final = """
INSERT INTO stale_customer SELECT customer_id FROM customer_view WHERE moved_to IS NULL ON CONFLICT DO NOTHING;
"""


async def upgrade(connection: Connection, run: int) -> bool:
    """Upgrades a run in the caller's transaction; whether it had a former form. Its customers are rendered again.

    May take some seconds for each hundred thousand customers.
    """
    form: int = await connection.fetchval("SELECT form FROM view_run WHERE run = $1 FOR UPDATE", run)
    if form >= FORM:
        return False
    await connection.execute("SET LOCAL statement_timeout = 0")
    if form < _WITH_RANKS:
        await connection.execute(_COLUMNS)
        await _keep_scores(connection)
        await _rank_items(connection)
        await connection.execute(_FORMER)
    await connection.execute(_RENDER_ALL)
    await connection.execute("UPDATE view_run SET form = $2 WHERE run = $1", run, FORM)
    return True


async def _keep_scores(connection: Connection) -> None:
    """Keeps each customer's latest score as one partial; commerce, value and segments had one each."""
    rows = await connection.cursor(_LATEST_SCORES)
    while page := await rows.fetch(_PAGE):
        scores: dict[Place, State | None] = {}
        for fact in map(as_fact, page):
            for customer_id, item in score.targets(fact):
                scores[Place(customer_id, score.NAME, item)] = score.fold(None, fact, item)
        await save_parts(connection, Parts([], scores))


async def _rank_items(connection: Connection) -> None:
    """Gives the items of lists their rank, and each profile their totals."""
    rows = await connection.cursor(_LISTED, sorted(LISTED))
    own: dict[Place, State | None] = {}
    sums: State | None = None
    totals: Place | None = None
    while page := await rows.fetch(_PAGE):
        for row in page:
            place, state = Place(row["profile_id"], row["section"], row["item"]), orjson.loads(row["state"])
            if totals is None or (totals.profile_id, totals.section) != (place.profile_id, place.section):
                totals, sums = Place(place.profile_id, place.section, TOTALS), None
            own[place] = state
            if tally := LISTED[place.section].tally(state):
                own[totals] = sums = changed_totals(sums, {}, tally)
        await save_parts(connection, Parts([], own))
        own.clear()
