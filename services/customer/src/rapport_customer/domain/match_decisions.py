"""The matcher's decision on a new profile: the profile that it joins, and the merge candidates."""

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
"""The most candidates raised for one new profile. The others follow when these are decided."""
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
    """The profiles to compare with a new profile: those that share a block of few profiles, or two blocks.

    A single block of many profiles (a street and a sound) finds mostly strangers, and a duplicate shares other blocks
    too. On the FEBRL sets the rule loses no pair that the blocks find.
    """
    met: Counter[UUID] = Counter()
    few: set[UUID] = set()
    for block in blocks:
        met.update(block)
        if len(block) <= FEW:
            few.update(block)
    return few | {profile_id for profile_id, times in met.items() if times > 1}


def decide(weights: Weights, newcomer: UUID, features: Features, customers: Customers, *, alone: bool) -> Decision:
    """Joins a new profile to the likeliest profile above the upper limit, unless another profile of it contradicts.

    Only a profile that is `alone` is joined: one profile cannot pull a customer of several profiles into another.
    All others above the lower limit become candidates, with the likeliest profile of each customer.
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
    """The candidate that a comparison gives a person to decide."""
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
