"""What scoring states about a customer, kept once for the sections that show it.

A score belongs to a customer id and never moves. It names the profiles that its figures were made of.
"""

from collections.abc import Iterable, Sequence
from typing import Final
from uuid import UUID

from rapport_gateway.view.facts import Fact, State, is_later

NAME = "score"
_SHOWN_BY_NOBODY: Final = frozenset({"indicators", "facts_digest"})


def targets(fact: Fact) -> Iterable[tuple[UUID, str]]:
    """A customer's score is one partial, kept under the customer's id."""
    if fact.type == "score.updated":
        yield UUID(fact.data["customer_id"]), ""


def fold(state: State | None, fact: Fact, item: str) -> State | None:
    """Keeps the score with the highest sequence."""
    if not is_later(fact, state):
        return state
    score = {name: value for name, value in fact.data.items() if name not in _SHOWN_BY_NOBODY}
    return {"sequence": fact.sequence, "score": score}


def settling(customer_id: UUID, profiles: Sequence[UUID], state: State | None) -> bool:
    """Whether a merge or an undo is newer than the score.

    A customer without a score is settling where a merge made it. A score of before scoring stated commerce figures
    is stated again.
    """
    if state is None:
        return list(profiles) != [customer_id]
    score = state["score"]
    return score.get("commerce") is None or set(score["profiles"]) != set(map(str, profiles))
