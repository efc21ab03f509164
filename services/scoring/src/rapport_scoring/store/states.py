"""What an assessment reads of customers: a bounded number of rows of each, however long its history is."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from rapport_scoring.domain.indicators.contact import MEDIAN_CASES
from rapport_scoring.store.recordings import COLUMNS, RECORDINGS
from rapport_shared.contracts.ticket import OWN_WORK
from rapport_shared.database import Connection, Reading, Row

PROFILE, DAY, INVOICE, CASE = "profile", "day", "invoice", "case"

_OWN = "WITH own AS (SELECT profile_id, customer_id FROM profile_mapping WHERE customer_id = ANY($1::uuid[]))"
_STATES: Final = f"""
{_OWN}
SELECT '{PROFILE}' AS source, own.customer_id, own.profile_id, NULL::date AS day, row_to_json(found)::text AS body
FROM own CROSS JOIN LATERAL (
    SELECT profile_id, t.built, t.sums, t.bought_on, t.earliest, t.latest, t.latest_is_history, t.last_day,
           t.first_contact_on, t.first_case_at, t.last_case_at,
           r.unit, r.registered_at, r.reported_at, r.attributes, r.sequence, r.registered, r.created_at, u.time_zone,
           (SELECT max(placed_at) FROM contribution c WHERE c.profile_id = own.profile_id AND c.placed_at IS NOT NULL)
               AS last_order_at,
           (SELECT min(begins_on) FROM recording g
            WHERE g.profile_id = own.profile_id AND g.begins_on IS NOT NULL AND NOT g.begun) AS begins_on
    FROM (SELECT own.profile_id) AS one
    LEFT JOIN profile_total t USING (profile_id) LEFT JOIN profile_register r USING (profile_id)
    LEFT JOIN unit u ON u.path = r.unit
) AS found
UNION ALL
SELECT '{DAY}', own.customer_id, own.profile_id, d.day, d.sums
FROM own JOIN profile_total t USING (profile_id)
JOIN profile_day d ON d.profile_id = own.profile_id AND d.day > t.last_day - 365
UNION ALL
SELECT '{DAY}', own.customer_id, own.profile_id, d.day, d.sums
FROM own JOIN profile_total t USING (profile_id)
JOIN profile_day d ON d.profile_id = own.profile_id
    AND d.day = date '0001-01-01' + (t.bought_on[array_upper(t.bought_on, 1)] - 1) AND d.day <= t.last_day - 365
UNION ALL
SELECT '{INVOICE}', own.customer_id, own.profile_id, NULL, c.invoice
FROM own JOIN contribution c USING (profile_id) WHERE c.invoice IS NOT NULL
UNION ALL
SELECT '{CASE}', own.customer_id, own.profile_id, NULL, row_to_json(newest)::text
FROM own CROSS JOIN LATERAL (
    SELECT ticket_id, event_id, profile_id, kind, state, open, opened_at, changed_at, responded_at, resolved_at
    FROM ticket_case c WHERE c.profile_id = own.profile_id AND c.kind <> ALL($2::text[])
    ORDER BY opened_at DESC LIMIT {MEDIAN_CASES}
) AS newest
"""
_KEPT: Final = f"""
SELECT {COLUMNS} FROM {RECORDINGS} WHERE r.profile_id = ANY($1::uuid[]) AND r.retracted_at IS NULL
    AND r.kind IN ('asset.delivered', 'asset.serviced', 'asset.transferred', 'survey.answered', 'wallet.reported')
"""


async def state_rows(connection: Connection, customers: Sequence[UUID]) -> list[Row]:
    """The rows of customers' states: a source, the customer and profile, a day, and a body, which is JSON.

    Of each profile they are its totals and register, its days of the last year and of its last purchase, its open
    invoices, and the newest of its tickets that the customer asked for.
    """
    return await connection.fetch(_STATES, customers, sorted(OWN_WORK))


async def kept_recordings(connection: Reading, profiles: Sequence[UUID]) -> list[Row]:
    """The recordings of profiles that are looked at as they are: of assets, answers, wallets."""
    return await connection.fetch(_KEPT, profiles)
