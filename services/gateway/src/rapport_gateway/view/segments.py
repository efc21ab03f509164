"""The segments that a customer is in, as scoring last stated them. Like the score they belong to a customer id."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from rapport_gateway.view.facts import Fact, State, is_later

NAME = "segments"
SHOWN: Final = 50
"""Names are short, and whoever acts on a segment must see it: hardly any customer is in more."""


def targets(fact: Fact) -> Iterable[tuple[UUID, str]]:
    """A customer's segments are one partial, kept under the customer's id."""
    if fact.type == "score.updated":
        yield UUID(fact.data["customer_id"]), ""


def fold(state: State | None, fact: Fact, item: str) -> State | None:
    """The highest sequence stands."""
    if not is_later(fact, state):
        return state
    return {"sequence": fact.sequence, "segments": fact.data.get("segments") or []}


def render(customer_id: UUID, profiles: Sequence[UUID], partials: Mapping[tuple[UUID, str], State]) -> Any:
    """The names of the segments, sorted."""
    state = partials.get((customer_id, ""))
    return [] if state is None else sorted(state["segments"])[:SHOWN]
