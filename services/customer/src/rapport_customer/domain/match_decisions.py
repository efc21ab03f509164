"""What the matcher decides of a newcomer: whom it joins, and with whom it may be one."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from rapport_customer.domain.candidates import Suspicion
from rapport_customer.domain.matching import Comparison, Features, Guard, Weights, compare
from rapport_customer.domain.matching.levels import BIRTH, DISAGREE, FAMILY, GIVEN, NAME
from rapport_customer.domain.wording import GUARD
from rapport_shared.contracts.customer import CandidateReason

MOST_CANDIDATES: Final = 5
"""Raised of one newcomer: the likeliest; the others come up when these are decided."""
FEW: Final = 10
_TELLING: Final = (FAMILY, GIVEN, NAME, BIRTH)

Customers = Mapping[UUID, Mapping[UUID, Features]]
"""The features of each customer's profiles."""


@dataclass(frozen=True, slots=True)
class Decision:
    """`join` is the profile that the newcomer joins, if any; `suspicions` are for somebody to decide."""

    join: UUID | None
    suspicions: tuple[Suspicion, ...]


def worth_comparing(blocks: Iterable[Sequence[UUID]]) -> set[UUID]:
    """Who of a newcomer's blocks is worth a comparison: whoever shares a block that few share, or two blocks.

    One block that many share (a street and a sound) finds mostly strangers, and a duplicate shares others besides:
    on the FEBRL sets the rule loses no pair that the blocks find.
    """
    met: Counter[UUID] = Counter()
    few: set[UUID] = set()
    for block in blocks:
        met.update(block)
        if len(block) <= FEW:
            few.update(block)
    return few | {profile_id for profile_id, times in met.items() if times > 1}


def decide(weights: Weights, newcomer: UUID, features: Features, customers: Customers, *, alone: bool) -> Decision:
    """Whom a newcomer joins: the likeliest profile above the upper limit, if nothing in its customer speaks against.

    Only one that is `alone` joins by itself: a customer of several profiles is not pulled into another by one of
    them. All others above the lower limit are suspected, of each customer the likeliest profile.
    """
    found = [
        (profile_id, comparison, customer_id)
        for customer_id, profiles in customers.items()
        for profile_id, comparison in _likeliest(weights, features, profiles)
    ]
    found.sort(key=lambda match: (-match[1].weight, match[0]))
    join = next(
        (
            profile_id
            for profile_id, comparison, customer_id in found[:1]
            if alone and comparison.outcome == "join" and not _contradicted(weights, features, customers[customer_id])
        ),
        None,
    )
    others = [match for match in found if match[0] != join][:MOST_CANDIDATES]
    return Decision(join, tuple(suspicion(newcomer, profile_id, comparison) for profile_id, comparison, _ in others))


def suspicion(newcomer: UUID, other: UUID, comparison: Comparison) -> Suspicion:
    """What a comparison gives somebody to decide."""
    reasons = tuple(
        CandidateReason(
            field=reason.field or GUARD,
            level=reason.level or reason.code.removeprefix(f"{GUARD}_"),
            weight=reason.weight if reason.field else None,
        )
        for reason in comparison.reasons
    )
    return Suspicion(newcomer, other, "matching", round(comparison.probability, 6), reasons)


def contradicts(comparison: Comparison) -> bool:
    """Whether name or birth date, both known, differ, or the two are of different kinds."""
    return Guard.KIND in comparison.guards or any(comparison.pattern[field] == DISAGREE for field in _TELLING)


def _likeliest(
    weights: Weights, features: Features, profiles: Mapping[UUID, Features]
) -> Sequence[tuple[UUID, Comparison]]:
    compared = [(profile_id, compare(weights, features, theirs)) for profile_id, theirs in profiles.items()]
    worth = [match for match in compared if match[1].outcome != "none"]
    return sorted(worth, key=lambda match: (-match[1].weight, match[0]))[:1]


def _contradicted(weights: Weights, features: Features, profiles: Mapping[UUID, Features]) -> bool:
    return any(contradicts(compare(weights, features, theirs)) for theirs in profiles.values())
