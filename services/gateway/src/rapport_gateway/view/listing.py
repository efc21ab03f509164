"""Lists in sections: which items of a profile are listed, in which order, and what all of its items add up to.

A customer may have thousands of tickets. A section shows the first few of a list and totals of all: each profile keeps
its totals in a partial of their own, and each item has a rank, by which the first few are found.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol
from uuid import UUID

from rapport_gateway.view.facts import State

TOTALS: Final = ""
"""The item under which a profile's totals are kept."""
_EPOCH: Final = datetime.fromtimestamp(0, UTC)
_MICROSECOND: Final = timedelta(microseconds=1)

Rank = Callable[[UUID, State], int | None]
"""The position of an item in the list of its profile, the lowest first; None if the item is not listed."""


class Listing(Protocol):
    """A section of which a profile has many items. Both functions are pure."""

    NAME: str
    SHOWN: int

    def rank(self, profile_id: UUID, state: State) -> int | None:
        """The position of an item in the list of its profile, the lowest first; None if the item is not listed."""
        ...

    def tally(self, state: State) -> Mapping[str, int]:
        """The amounts that an item adds to the totals of its profile."""
        ...


def instant_rank(text: str) -> int:
    """The rank of an instant: an earlier one is lower, and equal ones are equal, however they are written."""
    at = datetime.fromisoformat(text)
    return ((at if at.tzinfo else at.replace(tzinfo=UTC)) - _EPOCH) // _MICROSECOND


def first(rank: Rank, shown: int, partials: Mapping[tuple[UUID, str], State]) -> list[State]:
    """The listed items of a customer that come first; those of one rank in the order of their names."""
    ranked = [
        (place, item, state)
        for (profile_id, item), state in partials.items()
        if item != TOTALS and (place := rank(profile_id, state)) is not None
    ]
    ranked.sort(key=lambda line: line[:2])
    return [state for _, _, state in ranked[:shown]]


def items(partials: Mapping[tuple[UUID, str], State]) -> list[State]:
    """The items of a customer, without totals."""
    return [state for (_, item), state in partials.items() if item != TOTALS]


def totals(partials: Mapping[tuple[UUID, str], State]) -> Counter[str]:
    """The totals of a customer: those of its profiles together."""
    found: Counter[str] = Counter()
    for (_, item), state in partials.items():
        if item == TOTALS:
            found.update(state["totals"])
    return found


def changed_totals(state: State | None, before: Mapping[str, int], after: Mapping[str, int]) -> State:
    """A profile's totals once an item adds `after` where it added `before`."""
    sums = Counter(state["totals"] if state else {})
    sums.update(after)
    sums.subtract(before)
    return {"totals": {name: count for name, count in sorted(sums.items()) if count}}


def totals_of(tallies: Iterable[Mapping[str, int]]) -> State:
    """The totals of a profile whose items add `tallies`."""
    state: State = {"totals": {}}
    for tally in tallies:
        state = changed_totals(state, {}, tally)
    return state
