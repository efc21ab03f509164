"""The customer's cases: what is open, how many of each kind."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from rapport_gateway.view.facts import Fact, State, is_later

NAME = "tickets"
SHOWN = 10
_KEPT = ("ticket_id", "number", "kind", "state", "open", "subject", "priority", "owner", "opened_at", "resolved_at")


def targets(fact: Fact) -> Iterable[tuple[UUID, str]]:
    """A ticket's register is one partial."""
    if fact.type.startswith("ticket.") and fact.profile_id is not None and "ticket" in fact.data:
        yield fact.profile_id, fact.subject


def fold(state: State | None, fact: Fact, item: str) -> State | None:
    """The highest sequence stands."""
    if not is_later(fact, state):
        return state
    ticket = fact.data["ticket"]
    kept = {name: ticket.get(name) for name in _KEPT} | {"attributes": ticket.get("attributes") or {}}
    if ticket.get("origin") is not None:  # why it was opened by itself
        kept["origin"] = ticket["origin"]
    return {"sequence": fact.sequence, "ticket": kept}


def render(customer_id: UUID, profiles: Sequence[UUID], partials: Mapping[tuple[UUID, str], State]) -> Any:
    """The ten open ones that were opened last, and the numbers."""
    tickets = [state["ticket"] for state in partials.values()]
    unresolved = [ticket for ticket in tickets if ticket["open"]]
    unresolved.sort(key=lambda ticket: (ticket["opened_at"], ticket["ticket_id"]), reverse=True)
    by_kind: dict[str, int] = {}
    for ticket in tickets:
        by_kind[ticket["kind"]] = by_kind.get(ticket["kind"], 0) + 1
    return {
        "open": unresolved[:SHOWN],
        "open_total": len(unresolved),
        "total": len(tickets),
        "by_kind": by_kind,
        "complaints_open": sum(ticket["kind"] == "complaint" for ticket in unresolved),
    }
