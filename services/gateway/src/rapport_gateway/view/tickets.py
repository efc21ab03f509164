"""The customer's cases: what is open, how many of each kind."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from rapport_gateway.view import listing
from rapport_gateway.view.facts import Fact, State, is_later, optional_shown

NAME = "tickets"
SHOWN = 10
_OF_KIND = "kind:"
_KEPT = ("ticket_id", "number", "kind", "state", "open", "subject", "priority", "owner", "opened_at", "resolved_at")


def targets(fact: Fact) -> Iterable[tuple[UUID, str]]:
    """A ticket's register is one partial."""
    if fact.type.startswith("ticket.") and fact.profile_id is not None and "ticket" in fact.data:
        yield fact.profile_id, fact.subject


def fold(state: State | None, fact: Fact, item: str) -> State | None:
    """Keeps the state with the highest sequence."""
    if not is_later(fact, state):
        return state
    ticket = fact.data["ticket"]
    kept = {name: ticket.get(name) for name in _KEPT} | {"attributes": ticket.get("attributes") or {}}
    if ticket.get("origin") is not None:  # why it was opened by itself
        kept["origin"] = ticket["origin"]
    return {"sequence": fact.sequence, "ticket": kept}


def render(customer_id: UUID, profiles: Sequence[UUID], partials: Mapping[tuple[UUID, str], State]) -> Any:
    """The ten open ones that were opened last, and the numbers."""
    totals = listing.totals(partials)
    return {
        "open": [_shown(state["ticket"]) for state in listing.first(rank, SHOWN, partials)],
        "open_total": totals["open"],
        "total": totals["total"],
        "by_kind": {name.removeprefix(_OF_KIND): count for name, count in totals.items() if name.startswith(_OF_KIND)},
        "complaints_open": totals["complaints_open"],
    }


def _shown(ticket: dict[str, Any]) -> dict[str, Any]:
    return ticket | {name: optional_shown(ticket[name]) for name in ("opened_at", "resolved_at")}


def rank(profile_id: UUID, state: State) -> int | None:
    """Open tickets are listed, the one opened last first."""
    return -listing.instant_rank(state["ticket"]["opened_at"]) if state["ticket"]["open"] else None


def tally(state: State) -> Mapping[str, int]:
    """Counts tickets by kind, those that are open, and complaints among them."""
    ticket = state["ticket"]
    counted = {"total": 1, f"{_OF_KIND}{ticket['kind']}": 1}
    if ticket["open"]:
        counted |= {"open": 1, "complaints_open": int(ticket["kind"] == "complaint")}
    return counted
