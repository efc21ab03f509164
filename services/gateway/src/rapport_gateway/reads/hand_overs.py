"""What a customer's owner hands over: open work, promises and value, as the view knows them, or knew them then."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from rapport_gateway.projection.live import LiveView
from rapport_gateway.projection.store import hand_overs as store
from rapport_gateway.projection.store import partials as partials_kept
from rapport_gateway.view import listing, promises, score, tickets
from rapport_gateway.view.sections import Partials, fold_all
from rapport_shared.contracts.envelope import instant_text
from rapport_shared.database import Connection

SHOWN = 50
"""Hand-overs of a customer that are shown, the latest."""


@dataclass(frozen=True, slots=True)
class HandOver:
    """A hand-over, as the first event of it says."""

    data: dict[str, Any]
    at: datetime

    @property
    def profiles(self) -> list[UUID]:
        """The profiles of the customer at that time."""
        return [UUID(profile_id) for profile_id in self.data["profiles"]]

    @property
    def customer_id(self) -> UUID:
        """The customer at that time: a score belongs to a customer, and after a merge the former customer has none."""
        return UUID(self.data["customer_id"])


async def of_customer(view: LiveView, customer_id: UUID) -> list[dict[str, Any]]:
    """The changes of a customer's owner, the latest first, each with what it carried at that time."""
    async with view.live.connection() as connection:
        found: dict[tuple[str, str], HandOver] = {}
        for data, at in await store.of_customer(connection, customer_id):
            found.setdefault((data["hand_over_id"], data["customer_id"]), HandOver(data, at))
        latest = sorted(found.values(), key=lambda one: one.at, reverse=True)[:SHOWN]
        return [await _line(connection, one) for one in latest]


async def _line(connection: Connection, hand_over: HandOver) -> dict[str, Any]:
    shown = ("hand_over_id", "former_owner", "owner", "handed_over", "reason", "decided_by")
    return {
        **{name: hand_over.data.get(name) for name in shown},
        "at": instant_text(hand_over.at),
        "carried": await _carried(connection, hand_over),
    }


async def _carried(connection: Connection, hand_over: HandOver) -> dict[str, Any]:
    """What there was of the customer by what had been recorded until then: the same reducer over fewer facts."""
    partials = fold_all(await store.facts_at(connection, hand_over.profiles, hand_over.customer_id, hand_over.at))
    by_section: dict[str, dict[tuple[UUID, str], Any]] = {}
    for place, state in partials.items():
        by_section.setdefault(place.section, {})[place.profile_id, place.item] = state
    former: str | None = hand_over.data.get("former_owner")
    return summed(
        by_section.get(tickets.NAME, {}), by_section.get(promises.NAME, {}), by_section.get(score.NAME, {}), former
    )


def summed(open_work: Partials, promised: Partials, scores: Partials, owner: str | None) -> dict[str, Any]:
    """Open tickets of an owner, open promises, and the lifetime value by currency."""
    value: Counter[str] = Counter()
    for state in scores.values():
        for amount in (state["score"].get("contemporary") or {}).get("lifetime") or ():
            value[amount["currency"]] += amount["amount"]
    cases, promises_made = listing.items(open_work), listing.items(promised)
    return {
        "open_tickets": sum(one["ticket"]["open"] and one["ticket"].get("owner") == owner for one in cases),
        "open_promises": sum(one["state"] == "open" for one in promises_made),
        "value": [{"amount": value[currency], "currency": currency} for currency in sorted(value)],
    }


async def of_owner(view: LiveView, owner: str, unit: str) -> dict[str, Any]:
    """What an owner's customers would carry: those of a unit, or all where it is empty."""
    async with view.live.connection() as connection:
        pairs = await store.looked_after(connection, owner, unit)
        customers = {customer_id for customer_id, _ in pairs}
        asked = [(profile_id, name) for _, profile_id in pairs for name in (tickets.NAME, promises.NAME)]
        kept = await partials_kept.every(connection, [*asked, *((one, score.NAME) for one in customers)])
    found: dict[str, dict[tuple[UUID, str], Any]] = {tickets.NAME: {}, promises.NAME: {}, score.NAME: {}}
    for place, state in kept.items():
        found[place.section][place.profile_id, place.item] = state
    carried = summed(found[tickets.NAME], found[promises.NAME], found[score.NAME], owner)
    return {"customers": len(customers), **carried}
