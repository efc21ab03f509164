"""Brings a run that an earlier release made to the form in which this release keeps partials.

The writer of the run does so before anything else, and no migration: until it loses the run, the earlier release
goes on writing in its own form.
"""

from typing import Final

from rapport_gateway.projection import store
from rapport_gateway.projection.runs import FORM
from rapport_gateway.view import score
from rapport_gateway.view.sections import Place
from rapport_shared.database import Connection

_PAGE: Final = 500
_LATEST_SCORES: Final = """
SELECT f.* FROM membership m CROSS JOIN LATERAL (
    SELECT * FROM fact WHERE type = 'score.updated' AND subject = m.profile_id::text ORDER BY recorded_at DESC LIMIT 1
) f ORDER BY m.profile_id
"""
_FORMER: Final = """
DELETE FROM partial WHERE section IN ('commerce', 'value', 'segments');
DROP INDEX IF EXISTS partial_document;
DROP TABLE IF EXISTS document_reference;
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
    await _keep_scores(connection)
    await connection.execute(_FORMER)
    await connection.execute("UPDATE view_run SET form = $2 WHERE run = $1", run, FORM)
    return True


async def _keep_scores(connection: Connection) -> None:
    """Keeps each customer's latest score as one partial; commerce, value and segments had one each."""
    rows = await connection.cursor(_LATEST_SCORES)
    while page := await rows.fetch(_PAGE):
        scores = {}
        for fact in map(store.as_fact, page):
            for customer_id, item in score.targets(fact):
                state = score.fold(None, fact, item)
                if state is not None:
                    scores[Place(customer_id, score.NAME, item)] = state
        await store.save_partials(connection, scores)
