"""What a customer's owner hands over: open work, promises and value, as the view knows them, or knew them then."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from rapport_gateway.projection.store import partials as partials_kept
from rapport_gateway.projection.store.facts import as_fact
from rapport_gateway.view import listing, promises, score, tickets
from rapport_gateway.view.sections import Partials, fold_all
from rapport_shared.contracts.envelope import instant_text
from rapport_shared.database import Connection, Database

SHOWN = 50
"""Hand-overs of a customer that are shown, the latest."""


@dataclass(frozen=True, slots=True)
class Told:
    """A hand-over, as the first event of it told."""

    data: dict[str, Any]
    at: datetime

    @property
    def profiles(self) -> list[UUID]:
        """The profiles of the customer at that time."""
        return [UUID(profile_id) for profile_id in self.data["profiles"]]

    @property
    def customer_id(self) -> UUID:
        """The customer at that time: a score is of a customer, and one of before a merge is of nobody now."""
        return UUID(self.data["customer_id"])


async def of_customer(database: Database, customer_id: UUID) -> list[dict[str, Any]]:
    """The changes of a customer's owner, the latest first, each with what it carried at that time."""
    async with database.connection() as connection:
        rows = await connection.fetch(
            "SELECT f.data, f.recorded_at FROM membership m JOIN fact f USING (profile_id) "
            "WHERE m.customer_id = $1 AND f.type = 'customer.profile_changed' AND f.data LIKE '%\"hand_over\":{%' "
            "ORDER BY f.recorded_at, f.event_id",
            customer_id,
        )
        told: dict[tuple[str, str], Told] = {}
        for row in rows:
            data = orjson.loads(row["data"])["hand_over"]
            told.setdefault((data["hand_over_id"], data["customer_id"]), Told(data, row["recorded_at"]))
        latest = sorted(told.values(), key=lambda one: one.at, reverse=True)[:SHOWN]
        return [await _line(connection, one) for one in latest]


async def _line(connection: Connection, told: Told) -> dict[str, Any]:
    shown = ("hand_over_id", "former_owner", "owner", "handed_over", "reason", "decided_by")
    return {
        **{name: told.data.get(name) for name in shown},
        "at": instant_text(told.at),
        "carried": await _carried(connection, told),
    }


async def _carried(connection: Connection, told: Told) -> dict[str, Any]:
    """What there was of the customer by what had been recorded until then: the same reducer over fewer facts."""
    rows = await connection.fetch(
        "SELECT f.* FROM fact f WHERE f.profile_id = ANY($1) AND f.recorded_at <= $2 AND (f.type LIKE 'ticket.%' "
        "OR f.type = 'interaction.recorded' AND f.data LIKE '%\"promises\"%' AND NOT EXISTS ("
        "  SELECT FROM fact e WHERE e.interaction_id = f.interaction_id AND e.type = 'interaction.retracted' "
        "  AND e.recorded_at <= $2 AND e.data::jsonb ->> 'event_id' = f.event_id::text)) "
        "UNION ALL (SELECT * FROM fact WHERE type = 'score.updated' AND subject = $3 AND recorded_at <= $2 "
        "ORDER BY recorded_at DESC LIMIT 1)",
        told.profiles,
        told.at,
        str(told.customer_id),
    )
    partials = fold_all([as_fact(row) for row in rows])
    by_section: dict[str, dict[tuple[UUID, str], Any]] = {}
    for place, state in partials.items():
        by_section.setdefault(place.section, {})[place.profile_id, place.item] = state
    former: str | None = told.data.get("former_owner")
    return summed(
        by_section.get(tickets.NAME, {}), by_section.get(promises.NAME, {}), by_section.get(score.NAME, {}), former
    )


def summed(open_work: Partials, promised: Partials, scores: Partials, owner: str | None) -> dict[str, Any]:
    """Open tickets of an owner, open promises, and the lifetime value by currency."""
    worth: Counter[str] = Counter()
    for state in scores.values():
        for amount in (state["score"].get("contemporary") or {}).get("lifetime") or ():
            worth[amount["currency"]] += amount["amount"]
    cases, promises_made = listing.items(open_work), listing.items(promised)
    return {
        "open_tickets": sum(one["ticket"]["open"] and one["ticket"].get("owner") == owner for one in cases),
        "open_promises": sum(one["state"] == "open" for one in promises_made),
        "value": [{"amount": worth[currency], "currency": currency} for currency in sorted(worth)],
    }


async def of_owner(database: Database, owner: str, unit: str) -> dict[str, Any]:
    """What an owner's customers would carry: those of a unit, or all where it is empty."""
    rows = await database.fetch(
        "SELECT v.customer_id, m.profile_id FROM customer_view v JOIN membership m USING (customer_id) "
        "WHERE v.moved_to IS NULL AND v.identity::jsonb ->> 'owner' = $1 AND ($2 = '' OR EXISTS ("
        "  SELECT FROM unnest(v.units) AS own (unit) WHERE unit = $2 OR starts_with(unit, $2 || '/')))",
        owner,
        unit,
    )
    profiles = [row["profile_id"] for row in rows]
    async with database.connection() as connection:
        asked = [(profile_id, name) for profile_id in profiles for name in (tickets.NAME, promises.NAME)]
        asked += [(customer_id, score.NAME) for customer_id in {row["customer_id"] for row in rows}]
        kept = await partials_kept.every(connection, asked)
    found: dict[str, dict[tuple[UUID, str], Any]] = {tickets.NAME: {}, promises.NAME: {}, score.NAME: {}}
    for place, state in kept.items():
        found[place.section][place.profile_id, place.item] = state
    carried = summed(found[tickets.NAME], found[promises.NAME], found[score.NAME], owner)
    return {"customers": len({row["customer_id"] for row in rows}), **carried}
