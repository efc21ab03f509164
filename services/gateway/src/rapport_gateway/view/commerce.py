"""Orders, revenue, what is owed and what is on account, as scoring states them: the view computes none of it."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from rapport_gateway.view import score
from rapport_gateway.view.facts import State, optional_shown

NAME = "commerce"
_NOTHING: Final[Mapping[str, Any]] = {
    "orders": 0,
    "returned": 0,
    "revenue": [],
    "last_order_at": None,
    "receivable_open": [],
    "receivable_due": [],
    "receivable_due_total": 0,
    "on_account": [],
    "waiting": 0,
}


def waits(state: State | None) -> bool:
    """Whether documents of the customer name others that have not come."""
    return bool(((state["score"].get("commerce") if state else None) or {}).get("waiting"))


def render(customer_id: UUID, profiles: Sequence[UUID], partials: Mapping[tuple[UUID, str], State]) -> Any:
    """The figures of the customer's score; `settling` while a merge or an undo is newer than they are."""
    state = partials.get((customer_id, ""))
    stated = (state["score"].get("commerce") if state else None) or {}
    figures = {name: stated.get(name, nothing) for name, nothing in _NOTHING.items()}
    figures["last_order_at"] = optional_shown(figures["last_order_at"])
    return {"settling": score.settling(customer_id, profiles, state), **figures}
