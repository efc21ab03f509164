"""Learns weights from a base's own pairs, without labels: expectation and maximisation (EM).

Sources: Fellegi & Sunter (1969) for the model, Winkler, "Using the EM algorithm for weight computation in the
Fellegi–Sunter model of record linkage" (1988), Dempster, Laird & Rubin, "Maximum likelihood from incomplete data via
the EM algorithm" (1977).
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import exp, log, log2
from operator import getitem
from random import Random
from typing import Final, Literal

from rapport_customer.domain.matching.blocking import CAP, blocking_keys
from rapport_customer.domain.matching.features import Features
from rapport_customer.domain.matching.guards import different_kinds
from rapport_customer.domain.matching.levels import DISAGREE, FIELDS, MISSING, Pattern
from rapport_customer.domain.matching.patterns import pattern_of
from rapport_customer.domain.matching.weights import FieldWeights, Shares, Weights

Pairs = Iterable[tuple[int, int]]
Table = tuple[tuple[float, ...], ...]
"""The share of each level of each field, disagree first."""

_LEVELS: Final = 4
_ROUNDS: Final = 200
_SETTLED: Final = 1e-6
_HELD: Final = 20.0
_RANDOM_PAIRS: Final = 40_000
_LEAST: Final = 1e-7
_SEEN_AT_LEAST: Final = 0.5
"""The least count of a level: a level that no random pair showed counts as half a pair."""


@dataclass(frozen=True, slots=True)
class Mixture:
    """What EM finds: shares of levels among pairs that are one party, among the others, and how many are one."""

    m: Table
    others: Table
    matches: float


def train(weights: Weights, features: Sequence[Features], pairs: Pairs | None = None) -> Weights:
    """`weights` with prior, m and u as this base has them; deterministic, for use offline.

    `pairs` are positions in `features` that may be one, by default those that share a blocking key. u comes from
    random pairs, m and the prior from EM over `pairs`; both are held to `weights` as if those had been seen in 20
    pairs, so that few matches (or none) among the records do no harm. Limits, common names and guards stay.
    """
    if len(features) < 2:
        return weights
    before_m, before_u = _table(weights, "m"), _table(weights, "u")
    apart = Counter(_patterns(features, _random_pairs(len(features))))
    u = _shares(_level_counts(apart), before_u, _HELD, _SEEN_AT_LEAST)
    alike = Counter(_patterns(features, candidate_pairs(features) if pairs is None else pairs))
    found = estimate(alike, before_m, u)
    share = (found.matches + 1) / (len(features) * (len(features) - 1) / 2 + 2)
    return Weights(
        prior=log2(share / (1 - share)),
        moved=weights.moved,
        upper=weights.upper,
        lower=weights.lower,
        fields={
            field: FieldWeights(m=_as_shares(found.m[place]), u=_as_shares(u[place]))
            for place, field in enumerate(FIELDS)
        },
        common=weights.common,
        guards=weights.guards,
    )


def candidate_pairs(features: Sequence[Features]) -> list[tuple[int, int]]:
    """Positions of the profiles that share a blocking key which at most `CAP` have, in order."""
    blocks: dict[str, list[int]] = defaultdict(list)
    for position, profile in enumerate(features):
        for key in blocking_keys(profile):
            blocks[key].append(position)
    return sorted({pair for block in blocks.values() if len(block) <= CAP for pair in combinations(block, 2)})


def estimate(patterns: Mapping[Pattern, int], m: Table, u: Table, held: float = _HELD) -> Mixture:
    """EM over counted patterns of agreement, fields independent within each of the two kinds of pairs.

    Begins at `m` and `u`, and holds the shares to them as `held` pairs would. `u` is only where the others begin:
    pairs that share a key agree more than random ones do.
    """
    total = sum(patterns.values())
    found = Mixture(m, u, total / 2)
    for _ in range(_ROUNDS if total else 0):
        likely = _expected(patterns, found, found.matches / total)
        ours = {pattern: count * likely[pattern] for pattern, count in patterns.items()}
        theirs = {pattern: count - ours[pattern] for pattern, count in patterns.items()}
        matches = sum(ours.values())
        settled = abs(matches - found.matches) < _SETTLED * total
        found = Mixture(_shares(_level_counts(ours), m, held), _shares(_level_counts(theirs), u, held), matches)
        if settled:
            break
    return found


def _expected(patterns: Iterable[Pattern], mixture: Mixture, share: float) -> dict[Pattern, float]:
    """For each pattern the probability that its pairs are one party, by Bayes; `share` before looking."""
    share = min(max(share, _LEAST), 1 - _LEAST)
    bits = [
        (0.0, *(log(m / other) for m, other in zip(ms, others, strict=True)))
        for ms, others in zip(mixture.m, mixture.others, strict=True)
    ]
    before = log(share / (1 - share))
    return {pattern: _logistic(before + sum(map(getitem, bits, pattern))) for pattern in patterns}


def _logistic(value: float) -> float:
    return 1 / (1 + exp(-value)) if value > -700 else 0.0


def _level_counts(patterns: Mapping[Pattern, float]) -> list[list[float]]:
    counts = [[0.0] * _LEVELS for _ in FIELDS]
    for pattern, count in patterns.items():
        for place, level in enumerate(pattern):
            if level != MISSING:
                counts[place][level - DISAGREE] += count
    return counts


def _shares(counts: Sequence[Sequence[float]], before: Table, held: float, least: float = _LEAST) -> Table:
    """Shares of the counts, together with `held` pairs that are as `before` says.

    A level has `least` pairs, or as many as `before` lets one expect where that is less.
    """
    rows = []
    for row, shares in zip(counts, before, strict=True):
        seen = sum(row)
        sums = [
            max(count + held * share, min(least, seen * share), _LEAST)
            for count, share in zip(row, shares, strict=True)
        ]
        total = sum(sums)
        rows.append(tuple(one / total for one in sums))
    return tuple(rows)


def _patterns(features: Sequence[Features], pairs: Pairs) -> Iterator[Pattern]:
    for a, b in pairs:
        if not different_kinds(features[a], features[b]):
            yield pattern_of(features[a], features[b])


def _random_pairs(size: int) -> Iterator[tuple[int, int]]:
    """Pairs drawn with a fixed seed; all of them where they are few. A duplicate among them is rare, and ignored."""
    if size * (size - 1) / 2 <= _RANDOM_PAIRS:
        yield from combinations(range(size), 2)
        return
    random = Random(size)
    for _ in range(_RANDOM_PAIRS):
        a, b = random.sample(range(size), 2)
        yield a, b


def _table(weights: Weights, which: Literal["m", "u"]) -> Table:
    return tuple(getattr(weights.fields[field], which).by_level for field in FIELDS)


def _as_shares(row: Sequence[float]) -> Shares:
    disagree, close, very_close, exact = row
    return Shares(disagree=disagree, close=close, very_close=very_close, exact=exact)
