"""The rules that a customer is assessed under: policies and parameters, each of one version."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from rapport_scoring.domain.dynamics.alarms import AlarmRule
from rapport_scoring.domain.dynamics.tiers import TierPolicy
from rapport_scoring.domain.dynamics.trigger_policy import TriggerPolicy
from rapport_scoring.domain.forecast import FittedParameters, prior_parameters
from rapport_scoring.domain.needs.suggestions import PeerBaskets
from rapport_scoring.domain.segments import SegmentIndex, SegmentPolicy, compile_segments
from rapport_scoring.domain.value_policy import ValuePolicy

ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Versions:
    """Which version each rule is of; 0 is what ships. `segments` are by name."""

    value: int = 0
    tier: int = 0
    trigger: int = 0
    parameters: int = 1
    segments: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rules:
    """Rules in force together. `generation` grows with every activation and every refit.

    `baskets` counts what the customers of each group of peers bought; `rules_since` is when the `trigger` policy came
    into force; `segments` is made of the `segment_policies`.
    """

    generation: int
    versions: Versions
    value: ValuePolicy
    tier: TierPolicy
    trigger: TriggerPolicy
    segments: SegmentIndex
    parameters: FittedParameters
    baskets: Mapping[str, PeerBaskets] = field(default_factory=dict)
    rules_since: datetime = ALWAYS
    segment_policies: Mapping[str, SegmentPolicy] = field(default_factory=dict)

    def looking_ahead(self, months: int) -> "Rules":
        """These rules, but that the forecast looks so many months ahead."""
        forecast = self.value.forecast.model_copy(update={"horizon_months": months})
        return replace(self, value=self.value.model_copy(update={"forecast": forecast}))

    def with_segment(self, name: str, policy: SegmentPolicy) -> "Rules":
        """These rules, and a segment more, or another in the place of one."""
        policies = {**self.segment_policies, name: policy}
        return replace(self, segments=compile_segments(policies), segment_policies=policies)

    @property
    def alarms(self) -> AlarmRule:
        """Which alarms may still have an effect."""
        return AlarmRule(self.rules_since, self.effect_horizon)

    @property
    def effect_horizon(self) -> timedelta:
        """How long ago something may have happened to cause anything."""
        return timedelta(hours=self.trigger.effect_horizon_hours)


def shipped_rules() -> Rules:
    """What is in force where nothing was activated and nothing fitted."""
    value = ValuePolicy()
    return Rules(
        generation=0,
        versions=Versions(),
        value=value,
        tier=TierPolicy(),
        trigger=TriggerPolicy(),
        segments=compile_segments({}),
        parameters=prior_parameters(value.forecast, value.model),
    )
