"""Compares two profiles: a weight, what it comes to, and the reasons."""

from operator import getitem
from typing import Final, Literal, NamedTuple

from rapport_customer.domain.matching.features import Features
from rapport_customer.domain.matching.guards import NEVER_CANDIDATES, Guard, different_kinds, guards_of
from rapport_customer.domain.matching.levels import FIELDS, MISSING, PHONE, STREET, Pattern
from rapport_customer.domain.matching.patterns import pattern_of
from rapport_customer.domain.matching.reasons import Reason, guard_reason, level_reason
from rapport_customer.domain.matching.weights import Weights

Outcome = Literal["join", "review", "none"]

_BELOW: Final = 0.01
_SURE: Final = 60.0
_OF_KINDS: Final = (MISSING,) * len(FIELDS)


class Comparison(NamedTuple):
    """What comparing two profiles says. `weight` is in bits, prior and guards included; `evidence` without guards.

    A guarded `weight` lies below the limit that the guard holds it under, so that it alone decides.
    """

    weight: float
    evidence: float
    pattern: Pattern
    guards: tuple[Guard, ...]
    bits: tuple[float, ...]
    outcome: Outcome

    @property
    def probability(self) -> float:
        """The probability, as far as the weights are right, that the two are one."""
        return 1 / (1 + 2 ** -max(-_SURE, min(_SURE, self.weight)))

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """Guards first, then the fields that say something, the heaviest first. No personal value."""
        fields = [
            level_reason(field, level, weight)
            for field, level, weight in zip(FIELDS, self.pattern, self.bits, strict=False)
            if level != MISSING
        ]
        fields.sort(key=lambda reason: -abs(reason.weight))
        return (*map(guard_reason, self.guards), *fields)


def compare(weights: Weights, a: Features, b: Features) -> Comparison:
    """Compares two profiles; total, and the same for (b, a)."""
    if different_kinds(a, b):
        return Comparison(weights.lower - 1, weights.lower - 1, _OF_KINDS, (Guard.KIND,), (), "none")
    pattern = pattern_of(a, b)
    bits = tuple(map(getitem, weights.table, pattern))
    evidence = weights.prior + sum(bits) + _discount(weights, a, b) + max(0.0, weights.moved - sum(bits[STREET:PHONE]))
    lower, upper = weights.lower, weights.upper
    if evidence < lower:
        return Comparison(evidence, evidence, pattern, (), bits, "none")
    guards = guards_of(a, b, pattern, weights.guards)
    weight = evidence
    if guards:
        weight = min(evidence, (upper if NEVER_CANDIDATES.isdisjoint(guards) else lower) - _BELOW)
    return Comparison(
        weight, evidence, pattern, guards, bits, "join" if weight >= upper else "review" if weight >= lower else "none"
    )


def _discount(weights: Weights, a: Features, b: Features) -> float:
    """The bits, below 0, that agreeing in common names takes away."""
    family, given = weights.discounts
    discount = family.get(a.family, 0.0) if a.family == b.family else 0.0
    return discount + given.get(a.given, 0.0) if a.given == b.given else discount
