"""Trial of a `matching` policy: its effect on the existing customers."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from rapport_customer import store
from rapport_customer.domain.matching import CAP, Features, compare
from rapport_customer.domain.policy import MatchingPolicy
from rapport_shared.database import Database

PAGE: Final = 2_000
MOST_PAIRS: Final = 200_000
MOST_NAMED: Final = 20


@dataclass(frozen=True, slots=True)
class MatchingTrial:
    """Compares every pair of profiles that share a block, up to a number of pairs; changes nothing."""

    database: Database

    async def __call__(self, policy: MatchingPolicy) -> dict[str, Any]:
        """Counts the pairs that the policy would join, show and ignore, and the changes to joined pairs.

        `parted`: pairs of one customer, joined by likeness, that the policy would not join. `complete` is false when
        the base has more pairs than are compared. Takes about 20 µs a pair; other requests are served meanwhile.
        """
        pairs = await store.pairs_in_blocks(self.database, CAP, MOST_PAIRS + 1)
        compared = pairs[:MOST_PAIRS]
        customers = await store.customers_of_profiles(self.database, {one for pair in compared for one in pair})
        tally = _Tally()
        for start in range(0, len(compared), PAGE):
            page = compared[start : start + PAGE]
            stored = await store.features_of_profiles(self.database, {one for pair in page for one in pair})
            features = {profile_id: Features.from_json(text) for profile_id, text in stored.items()}
            _compare(policy, page, features, customers, tally)
            await asyncio.sleep(0)
        return tally.answer(complete=len(pairs) <= MOST_PAIRS)


class _Tally:
    def __init__(self) -> None:
        self.counts = {"join": 0, "review": 0, "none": 0}
        self.joined: list[tuple[UUID, UUID]] = []
        self.parted: list[tuple[UUID, UUID]] = []
        self.would_join = self.would_part = 0

    def take(self, pair: tuple[UUID, UUID], outcome: str, *, one_customer: bool) -> None:
        """Counts a pair."""
        self.counts[outcome] += 1
        if outcome == "join" and not one_customer:
            self.would_join += 1
            self.joined += [pair] if len(self.joined) < MOST_NAMED else []
        if outcome == "none" and one_customer:
            self.would_part += 1
            self.parted += [pair] if len(self.parted) < MOST_NAMED else []

    def answer(self, *, complete: bool) -> dict[str, Any]:
        """What was counted."""
        return {
            "pairs": sum(self.counts.values()),
            "complete": complete,
            "outcomes": self.counts,
            "would_join": {"pairs": self.would_join, "examples": _named(self.joined)},
            "would_not_join": {"pairs": self.would_part, "examples": _named(self.parted)},
        }


def _compare(
    policy: MatchingPolicy,
    pairs: Iterable[tuple[UUID, UUID]],
    features: Mapping[UUID, Features],
    customers: Mapping[UUID, UUID],
    tally: _Tally,
) -> None:
    for one, other in pairs:
        if one in features and other in features:
            outcome = compare(policy.weights, features[one], features[other]).outcome
            tally.take((one, other), outcome, one_customer=customers.get(one, one) == customers.get(other, other))


def _named(pairs: Iterable[tuple[UUID, UUID]]) -> list[list[str]]:
    return [[str(one), str(other)] for one, other in pairs]
