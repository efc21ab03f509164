"""Tiers: ranks of customers, by thresholds on their value and conditions on their indicators, with the reasons."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from rapport_scoring.domain.dynamics.stages import StagePolicy
from rapport_scoring.domain.indicators import NUMBERS, Indicator
from rapport_scoring.domain.ledger.lines import beyond, exact
from rapport_scoring.domain.rates import Converted
from rapport_shared.contracts.touchpoints.fields import MAX_AMOUNT

Measure = Literal["last_90_days", "lifetime", "total"]
"""Contemporary value of the last 90 days or of all time, or contemporary + potential + model value."""
TierName = Annotated[str, StringConstraints(min_length=1, max_length=40, pattern=r"^[a-z][a-z0-9_]*$")]
Bound = Annotated[Decimal, Field(ge=-MAX_AMOUNT, le=MAX_AMOUNT, decimal_places=6, allow_inf_nan=False)]


class Condition(BaseModel):
    """Inclusive bounds of an indicator: of all its subjects, or only of `subject` (a currency, a channel).

    `unknown` says whether the condition holds if the indicator is missing or has no value.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    indicator: str
    subject: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None
    at_least: Bound | None = None
    at_most: Bound | None = None
    unknown: Literal["holds", "fails"] = "fails"

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if self.indicator not in NUMBERS:
            raise ValueError(f"{self.indicator} is no indicator that is a number: {', '.join(sorted(NUMBERS))}")
        if self.at_least is None and self.at_most is None:
            raise ValueError("a condition needs at_least or at_most")
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            raise ValueError("at_least is above at_most")
        return self


class Tier(BaseModel):
    """A tier: the measure is at least `at_least` (minor units of the reporting currency) and all conditions hold."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: TierName
    at_least: Annotated[int, Field(strict=True, ge=-MAX_AMOUNT, le=MAX_AMOUNT)]
    conditions: Annotated[tuple[Condition, ...], Field(max_length=20)] = ()


PROMPT = Condition(indicator="late_ratio", at_most=Decimal("0.25"), unknown="holds")
NOT_OVERDUE = Condition(indicator="overdue_ratio", at_most=Decimal("0.5"), unknown="holds")
SHIPPED = (
    Tier(name="platinum", at_least=10_000_000, conditions=(PROMPT, NOT_OVERDUE)),
    Tier(name="gold", at_least=2_000_000, conditions=(PROMPT, NOT_OVERDUE)),
    Tier(name="silver", at_least=500_000, conditions=(NOT_OVERDUE,)),
    Tier(name="bronze", at_least=1),
)
"""Amounts in minor units: 100,000.00, 20,000.00, 5,000.00, and anything earned at all."""


class TierPolicy(BaseModel):
    """The `tier` policy: lifecycle stages, and the tiers, best first. A customer in none of them gets `otherwise`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    stages: StagePolicy = Field(default_factory=StagePolicy)
    measure: Measure = "last_90_days"
    tiers: Annotated[tuple[Tier, ...], Field(min_length=1, max_length=50)] = SHIPPED
    otherwise: TierName = "none"

    @model_validator(mode="after")
    def _best_first(self) -> Self:
        names = [tier.name for tier in self.tiers] + [self.otherwise]
        if len(set(names)) < len(names):
            raise ValueError("two tiers have one name")
        thresholds = [tier.at_least for tier in self.tiers]
        if any(better <= worse for better, worse in pairwise(thresholds)):
            raise ValueError("tiers must be listed best first, each with a higher at_least than the next")
        return self


@dataclass(frozen=True, slots=True)
class Finding:
    """Whether a condition holds, and the indicators that decide it."""

    condition: Condition
    holds: bool
    indicators: tuple[Indicator, ...]


@dataclass(frozen=True, slots=True)
class Check:
    """A customer compared with a tier: by how much the measure is too low (≥ 0), and whether each condition holds."""

    tier: Tier
    short: int
    findings: tuple[Finding, ...]

    @property
    def met(self) -> bool:
        """Whether the customer meets the threshold and all conditions."""
        return self.short == 0 and all(finding.holds for finding in self.findings)


@dataclass(frozen=True, slots=True)
class TierDecision:
    """A customer's tier, with the measure and its figure, the rule that it meets, and the next better rule.

    If `figure` is unknown because a rate is missing (`figure.gaps`), the tier is the policy's `otherwise`.
    """

    tier: str
    measure: Measure
    figure: Converted
    rule: Check | None
    next: Check | None


def decide_tier(policy: TierPolicy, figure: Converted, indicators: Sequence[Indicator]) -> TierDecision:
    """The best tier whose threshold and conditions are met. `figure` is the policy's measure in reporting currency."""
    if figure.amount is None:
        return TierDecision(policy.otherwise, policy.measure, figure, None, None)
    better: Check | None = None
    for tier in policy.tiers:
        check = _check(tier, figure.amount, indicators)
        if check.met:
            return TierDecision(tier.name, policy.measure, figure, check, better)
        better = check
    return TierDecision(policy.otherwise, policy.measure, figure, None, better)


def _check(tier: Tier, amount: int, indicators: Iterable[Indicator]) -> Check:
    found = list(indicators)
    return Check(tier, max(0, tier.at_least - amount), tuple(_find(each, found) for each in tier.conditions))


def _find(condition: Condition, indicators: Sequence[Indicator]) -> Finding:
    named = tuple(
        each for each in indicators if each.name == condition.indicator and condition.subject in (None, each.subject)
    )
    verdicts = [_holds(condition, each) for each in named] or [condition.unknown == "holds"]
    return Finding(condition, all(verdicts), named)


def _holds(condition: Condition, indicator: Indicator) -> bool:
    if indicator.value is None:
        return condition.unknown == "holds"
    value = exact(indicator.value) if isinstance(indicator.value, str) else indicator.value
    if condition.at_least is not None and beyond(exact(condition.at_least), value):
        return False
    return condition.at_most is None or not beyond(value, exact(condition.at_most))
