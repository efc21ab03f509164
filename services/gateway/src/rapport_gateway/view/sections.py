"""The sections of the view, and how a set of facts becomes them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

import orjson

from rapport_gateway.view import assets, commerce, identity, interactions, promises, quality, segments, tickets, value
from rapport_gateway.view.facts import Fact, State
from rapport_shared.contracts.envelope import canonical_json


@dataclass(frozen=True, slots=True)
class Place:
    """Where a partial is kept: of one profile, one section, one item of it."""

    profile_id: UUID
    section: str
    item: str


Partials = Mapping[tuple[UUID, str], State]
"""The partials of one section of one customer, by profile and item."""


class Folding(Protocol):
    """What folds facts into partials. Both functions are pure, and total on erased values.

    `targets` names the partials that a fact changes, `fold` changes one. A fact is folded into a partial once.
    """

    NAME: str

    def targets(self, fact: Fact) -> Iterable[tuple[UUID, str]]:
        """Profiles and items that `fact` changes."""
        ...

    def fold(self, state: State | None, fact: Fact, item: str) -> State | None:
        """The partial after `fact`."""
        ...


class Section(Folding, Protocol):
    """A module of the view: `render`, pure and total too, makes the section of a customer from its partials."""

    def render(self, customer_id: UUID, profiles: Sequence[UUID], partials: Partials) -> Any:
        """The section of a customer, as JSON."""
        ...


FOLDED: tuple[Section, ...] = (identity, assets, interactions, promises, commerce, tickets, value, segments)
"""The sections that fold facts; `quality` is derived from the others."""

SECTIONS: tuple[str, ...] = (*(section.NAME for section in FOLDED), quality.NAME)
BY_NAME: Mapping[str, Section] = {section.NAME: section for section in FOLDED}
RETRACTABLE: tuple[str, ...] = (interactions.NAME, promises.NAME, commerce.NAME)
"""The sections that recordings fold into: after a retraction they are folded anew from what stands."""


FOLDING: Mapping[str, Folding] = {**BY_NAME, quality.NAME: quality}
"""What keeps partials: the sections, and the candidates that the quality is assessed with."""


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
    return canonical_json(BY_NAME[name].render(customer_id, profiles, partials)).decode()


def assess(profiles: Sequence[UUID], sections: Mapping[str, str], registers: Partials, candidates: Partials) -> str:
    """The quality of a customer as canonical JSON text: `sections` are rendered already."""
    records = [state["profile"] for _, state in sorted(registers.items(), key=lambda item: str(item[0][0]))]
    shown, traded = orjson.loads(sections[identity.NAME]), orjson.loads(sections[commerce.NAME])
    return canonical_json(quality.assess(records, profiles, shown, traded, candidates.values())).decode()
