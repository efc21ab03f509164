"""The `trigger` policy: when to retain a customer, win it back, sell it more, or check its credit."""

from decimal import Decimal
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from rapport_shared.contracts.touchpoints.fields import MAX_AMOUNT

Threshold = Annotated[Decimal, Field(ge=-MAX_AMOUNT, le=MAX_AMOUNT, decimal_places=6, allow_inf_nan=False)]
Days = Annotated[int, Field(ge=1, le=3650)]
CoolDown = Annotated[int, Field(ge=0, le=3650)]


class Above(BaseModel):
    """Entered by more than `enter`, cleared by `clear` or less; between the two it stays as it is."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    enter: Threshold
    clear: Threshold

    @model_validator(mode="after")
    def _apart(self) -> Self:
        if self.clear >= self.enter:
            raise ValueError("clear must be below enter")
        return self


class Below(BaseModel):
    """Entered by less than `enter`, cleared by `clear` or more; between the two it stays as it is."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    enter: Threshold
    clear: Threshold

    @model_validator(mode="after")
    def _apart(self) -> Self:
        if self.clear <= self.enter:
            raise ValueError("clear must be above enter")
        return self


def _above(enter: int | str, clear: int | str) -> Above:
    return Above(enter=Decimal(enter), clear=Decimal(clear))


class SilenceRule(BaseModel):
    """The silence of a customer who bought on one day only raises an alarm after `days_without_repeat` days.

    For other customers the alarm is due when P(alive) of the forecast falls to the threshold of the `value` policy.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    days_without_repeat: Days = 180


class RetentionRule(BaseModel):
    """Potential value fell by the share `fall` within `window_days`, or a silent customer's measure is above `worth`.

    `worth` is compared with the measure of the tiers, in minor units of the reporting currency. Set it to the median.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    enabled: bool = True
    fall: Above = _above("0.25", "0.10")
    window_days: Days = 30
    worth: Above = _above(500_000, 400_000)
    cool_down_days: CoolDown = 30


class WinBackRule(BaseModel):
    """A lapsed customer whose lifetime contemporary value is above `worth` (minor units, reporting currency)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    enabled: bool = True
    worth: Above = _above(2_000_000, 1_500_000)
    cool_down_days: CoolDown = 180


class GrowthRule(BaseModel):
    """A share of wallet below `share`, and a model value above `model` (minor units of the reporting currency)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    enabled: bool = True
    share: Below = Below(enter=Decimal("0.5"), clear=Decimal("0.6"))
    model: Above = _above(1_000_000, 800_000)
    cool_down_days: CoolDown = 90


class CreditRule(BaseModel):
    """An overdue ratio above `overdue` with an open amount above `least`, or an open amount above `exposure`.

    Amounts in minor units of the reporting currency.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    enabled: bool = True
    overdue: Above = _above("0.3", "0.15")
    least: Above = _above(100_000, 50_000)
    exposure: Above = _above(100_000_000, 80_000_000)
    cool_down_days: CoolDown = 30


class TriggerPolicy(BaseModel):
    """The rules of the triggers. Alarms that were due longer than `effect_horizon_hours` ago have no effect."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    silence: SilenceRule = Field(default_factory=SilenceRule)
    effect_horizon_hours: Annotated[int, Field(ge=1, le=8760)] = 72
    retention: RetentionRule = Field(default_factory=RetentionRule)
    win_back: WinBackRule = Field(default_factory=WinBackRule)
    growth: GrowthRule = Field(default_factory=GrowthRule)
    credit_watch: CreditRule = Field(default_factory=CreditRule)
