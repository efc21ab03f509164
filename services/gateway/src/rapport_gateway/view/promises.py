"""What the firm promised the customer, from what its people reported."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from rapport_gateway.view import listing
from rapport_gateway.view.facts import Fact, State, shown_instant
from rapport_shared.contracts.ids import derived_id

NAME = "promises"
SHOWN = 10


def targets(fact: Fact) -> Iterable[tuple[UUID, str]]:
    """Each promise of a contact is a partial."""
    if fact.type == "interaction.recorded" and fact.profile_id is not None:
        data = fact.touchpoint.get("data")
        for index in range(len((data or {}).get("promises") or ())):
            yield fact.profile_id, f"{fact.data['touchpoint_id']}/{index}"


def fold(state: State | None, fact: Fact, item: str) -> State | None:
    """A promise is open until an event says otherwise."""
    touchpoint_id, _, index = item.partition("/")
    promise = fact.touchpoint["data"]["promises"][int(index)]
    return {
        "id": str(derived_id("promise", touchpoint_id, index)),
        "text": promise["text"],
        "due_at": promise["due_at"],
        "made_at": fact.at,
        "state": "open",
    }


def render(customer_id: UUID, profiles: Sequence[UUID], partials: Mapping[tuple[UUID, str], State]) -> Any:
    """The ten that are due first, and how many there are."""
    return {
        "total": listing.totals(partials)["total"],
        "next": [_shown(state) for state in listing.first(rank, SHOWN, partials)],
    }


def _shown(state: State) -> State:
    return state | {"due_at": shown_instant(state["due_at"])}


def rank(profile_id: UUID, state: State) -> int | None:
    """Promises are listed, the one due first first."""
    return listing.instant_rank(state["due_at"])


def tally(state: State) -> Mapping[str, int]:
    """Counts promises."""
    return {"total": 1}
