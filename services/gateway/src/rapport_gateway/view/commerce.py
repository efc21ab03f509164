"""Orders, revenue, what is owed and what is on account: commerce documents as one partial each.

A document is `(family, system, number)`; its highest `(revision, occurred_at, event_id)` replaces it whole. Of a
payment the amount comes from the highest `payment.received`, the allocations from the highest of either kind.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from rapport_gateway.view.facts import Fact, State
from rapport_gateway.view.settlement import Document, Documents, summary

NAME = "commerce"

_NUMBER_OF = {
    "order.placed": ("order", "order"),
    "order.cancelled": ("cancellation", "cancellation"),
    "order.returned": ("return", "return"),
    "shipment.delivered": ("shipment", "shipment"),
    "cost.reported": ("cost", "cost"),
    "invoice.issued": ("invoice", "invoice"),
    "credit.issued": ("credit", "credit"),
    "payment.received": ("payment", "payment"),
    "payment.allocated": ("payment", "payment"),
    "payment.reversed": ("reversal", "reversal"),
    "payment.refunded": ("refund", "refund"),
    "invoice.written_off": ("write_off", "write_off"),
}
"""Family and the field of the number, by kind. `wallet.reported` is no document."""

_NAMED = ("order", "invoice", "payment", "return", "credit")
"""Fields by which one document names another, of the family of the same name."""


def targets(fact: Fact) -> Iterable[tuple[UUID, str]]:
    """A document is one partial."""
    if fact.type == "interaction.recorded" and fact.profile_id is not None:
        item = item_of(fact)
        if item is not None:
            yield fact.profile_id, item


def item_of(fact: Fact) -> str | None:
    """`family:system:number` of the document that a recording is about, or None."""
    named = _NUMBER_OF.get(fact.data["kind"])
    if named is None:
        return None
    family, field = named
    return f"{family}:{fact.touchpoint['source']['system']}:{fact.touchpoint['data'][field]}"


def references_of(fact: Fact) -> list[str]:
    """The documents that a recorded document names, as items, sorted."""
    own, data = item_of(fact), fact.touchpoint["data"]
    system = fact.touchpoint["source"]["system"]
    named = {f"{field}:{system}:{data[field]}" for field in _NAMED if isinstance(data.get(field), str)}
    for part in (*(data.get("lines") or ()), *(data.get("allocations") or ())):
        named |= {
            f"{field}:{system}:{part[field]}" for field in ("order", "invoice") if isinstance(part.get(field), str)
        }
    return sorted(named - {own})


def fold(state: State | None, fact: Fact, item: str) -> State | None:
    """The latest statement of each part stands."""
    rank = [fact.touchpoint["data"].get("revision") or 1, fact.at, str(fact.event_id)]
    statement = {"rank": rank, "kind": fact.data["kind"], "at": fact.at, "data": fact.touchpoint["data"]}
    parts = ("allocations",) if fact.data["kind"] == "payment.allocated" else ("body", "allocations")
    kept = dict(state or {})
    for part in parts:
        if part not in kept or rank > kept[part]["rank"]:
            kept[part] = statement
    return kept


def render(customer_id: UUID, profiles: Sequence[UUID], partials: Mapping[tuple[UUID, str], State]) -> Any:
    """The section; `partials` hold the customer's documents and those of others that theirs are settled with."""
    own = frozenset(profiles)
    return summary(Documents(_document(profile_id, item, state) for (profile_id, item), state in partials.items()), own)


def _document(profile_id: UUID, item: str, state: State) -> Document:
    family, system, number = item.split(":", 2)
    body = state.get("body")
    allocations = state["allocations"]["data"].get("allocations") or ()
    return Document(
        profile_id=profile_id,
        family=family,
        system=system,
        number=number,
        at=body["at"] if body else None,
        data=body["data"] if body else {},
        allocations=tuple(allocations),
        rank=tuple(body["rank"]) if body else (0, "", ""),
    )
