"""The customer's value as scoring last stated it. A score belongs to a customer id and never moves."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from rapport_gateway.view.facts import Fact, State, is_later

NAME = "value"


def targets(fact: Fact) -> Iterable[tuple[UUID, str]]:
    """A customer's score is one partial, kept under the customer's id."""
    if fact.type == "score.updated":
        yield UUID(fact.data["customer_id"]), ""


def fold(state: State | None, fact: Fact, item: str) -> State | None:
    """The highest sequence stands."""
    return {"sequence": fact.sequence, "score": fact.data} if is_later(fact, state) else state


def render(customer_id: UUID, profiles: Sequence[UUID], partials: Mapping[tuple[UUID, str], State]) -> Any:
    """Contemporary value, and what it was computed with; null for a customer without a score."""
    state = partials.get((customer_id, ""))
    if state is None:
        return None
    score = state["score"]
    shown = ("contemporary", "as_of", "policy_version", "parameter_version", "lines")
    return {name: score[name] for name in shown if name in score}
