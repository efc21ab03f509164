"""The sections of the view, and how a set of facts becomes them."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

import orjson

from rapport_gateway.view import (
    assets,
    commerce,
    identity,
    interactions,
    promises,
    quality,
    score,
    segments,
    tickets,
    value,
)
from rapport_gateway.view.facts import Fact, State
from rapport_gateway.view.listing import TOTALS, Listing, totals_of


@dataclass(frozen=True, slots=True)
class Place:
    """Where a partial is kept: of one profile, one section, one item of it."""

    profile_id: UUID
    section: str
    item: str


Partials = Mapping[tuple[UUID, str], State]
"""The partials of one section of one customer, by profile and item."""


class Folding(Protocol):
    """Folds facts into partials. Both functions are pure and accept erased values.

    `targets` names the partials that a fact changes, `fold` changes one. A fact is folded into a partial once.
    """

    NAME: str

    def targets(self, fact: Fact) -> Iterable[tuple[UUID, str]]:
        """Profiles and items that `fact` changes."""
        ...

    def fold(self, state: State | None, fact: Fact, item: str) -> State | None:
        """The partial after `fact`."""
        ...


class Shown(Protocol):
    """Renders a section. Pure; accepts erased values."""

    NAME: str

    def render(self, customer_id: UUID, profiles: Sequence[UUID], partials: Partials) -> Any:
        """The section of a customer from its partials, as JSON."""
        ...


RENDERED: tuple[Shown, ...] = (identity, assets, interactions, promises, commerce, tickets, value, segments)
"""The sections that are rendered from partials; `quality` is derived from other sections, too."""

SECTIONS: tuple[str, ...] = (*(section.NAME for section in RENDERED), quality.NAME)
BY_NAME: Mapping[str, Shown] = {section.NAME: section for section in RENDERED}

FOLDING: Mapping[str, Folding] = {
    kept.NAME: kept for kept in (identity, assets, interactions, promises, tickets, score, quality)
}
"""What keeps partials: most sections their own; `quality` the candidates that it is assessed with."""

SOURCES: Mapping[str, str] = {name: name for name in SECTIONS} | {
    section.NAME: score.NAME for section in (commerce, value, segments)
}
"""The names of the partials that each section is rendered from."""

SHOWING: Mapping[str, frozenset[str]] = {
    kept: frozenset(name for name, source in SOURCES.items() if source == kept) for kept in FOLDING
}
"""The sections that show the partials of each kind."""
LISTED: Mapping[str, Listing] = {section.NAME: section for section in (assets, promises, tickets, quality)}
"""Where a profile has many items. All others have one partial of a profile."""


def places_of(fact: Fact) -> Iterator[Place]:
    """Every partial that a fact changes."""
    for section in FOLDING.values():
        for profile_id, item in section.targets(fact):
            yield Place(profile_id, section.NAME, item)


def fold(state: State | None, fact: Fact, place: Place) -> State | None:
    """One partial after one fact."""
    return FOLDING[place.section].fold(state, fact, place.item)


def render(name: str, customer_id: UUID, profiles: Sequence[UUID], partials: Partials) -> str:
    """One folded section of a customer as canonical JSON text."""
    return canonical(BY_NAME[name].render(customer_id, profiles, partials))


def assess(profiles: Sequence[UUID], sections: Mapping[str, str], registers: Partials, candidates: Partials) -> str:
    """The quality of a customer as canonical JSON text: `sections` are rendered already."""
    records = [state["profile"] for _, state in sorted(registers.items(), key=lambda item: str(item[0][0]))]
    shown, traded = orjson.loads(sections[identity.NAME]), orjson.loads(sections[commerce.NAME])
    return canonical(quality.assess(records, profiles, shown, traded, candidates.values()))


def canonical(section: Any) -> str:
    """A section as JSON text with sorted keys and no spaces: equal sections are equal texts."""
    return orjson.dumps(section, option=orjson.OPT_SORT_KEYS).decode()


def fold_all(facts: Iterable[Fact]) -> dict[Place, State]:
    """The partials of a set of facts, folded from nothing, with totals; the facts are distinct and all count."""
    partials: dict[Place, State] = {}
    for fact in facts:
        for place in places_of(fact):
            state = fold(partials.get(place), fact, place)
            if state is not None:
                partials[place] = state
    return partials | _totals(partials)


def _totals(partials: Mapping[Place, State]) -> dict[Place, State]:
    tallies: defaultdict[Place, list[Mapping[str, int]]] = defaultdict(list)
    for place, state in partials.items():
        if place.section in LISTED and (tally := LISTED[place.section].tally(state)):
            tallies[Place(place.profile_id, place.section, TOTALS)].append(tally)
    return {place: totals_of(found) for place, found in tallies.items()}
