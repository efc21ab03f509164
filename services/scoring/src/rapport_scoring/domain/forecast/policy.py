"""Policies of the forecast: what a deployment may set, each with the default that ships."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, model_validator

from rapport_scoring.domain.forecast.horizons import Horizon
from rapport_scoring.domain.forecast.margins import MarginPrior
from rapport_scoring.domain.forecast.pdo_nbd import PdoNbd

MOST_MONTHS: Final = 600
"""The longest horizon of a forecast."""

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]


class _Policy(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PurchasePrior(_Policy):
    """PDO/NBD parameters for a company without customers enough to fit: time in months.

    The default is an order a month, and of twenty customers one is lost a month: a business with regulars.
    """

    r: Positive = 1.0
    alpha: Positive = 1.0
    a: Positive = 0.5
    b: Positive = 9.5

    def model(self) -> PdoNbd:
        """The parameters as the model takes them."""
        return PdoNbd(self.r, self.alpha, self.a, self.b)


class ValuePrior(_Policy):
    """Gamma-Gamma shapes where nothing is fitted, and mean order values in minor units by currency.

    The mean of a currency that is not named is that of the company's orders. The shapes are those that Fader & Hardie
    (2013) give for a web shop.
    """

    p: Positive = 6.25
    q: Annotated[float, Field(gt=1, allow_inf_nan=False)] = 3.74
    means: Mapping[Currency, Positive] = Field(default_factory=dict)


class MarginPolicy(_Policy):
    """The contribution rate where nobody's is known, and the bounds of a prior's strength, in orders."""

    rate: Annotated[float, Field(le=1, ge=-1, allow_inf_nan=False)] = 0.15
    strength: Positive = 5.0
    least_strength: Positive = 0.5
    most_strength: Positive = 100.0

    @model_validator(mode="after")
    def _ordered(self) -> MarginPolicy:
        if not self.least_strength <= self.strength <= self.most_strength:
            raise ValueError("least_strength ≤ strength ≤ most_strength does not hold")
        return self

    def prior(self) -> MarginPrior:
        """The prior where nothing is fitted."""
        return MarginPrior(self.rate, self.strength)


class ForecastPolicy(_Policy):
    """How potential value is computed.

    A group of customers has parameters of its own when it has so many customers, and so many that bought again; else
    the company's stand for it, and else the priors. `corrected` says whether expected orders are multiplied by what
    forecasting the past taught.
    `alarm_probability` is the P(alive) at which silence alarms.
    """

    horizon_months: int = Field(60, ge=1, le=MOST_MONTHS)
    discount_rate: Decimal = Field(Decimal("0.10"), ge=0, lt=10, allow_inf_nan=False)
    alarm_probability: float = Field(0.5, gt=0, lt=1)
    corrected: bool = True
    minimum_customers: int = Field(200, ge=10)
    minimum_repeaters: int = Field(50, ge=5)
    purchase_prior: PurchasePrior = PurchasePrior()
    value_prior: ValuePrior = ValuePrior()
    margin: MarginPolicy = MarginPolicy()

    @model_validator(mode="before")
    @classmethod
    def _without_retired(cls, document: Any) -> Any:
        """A policy that still names `purchase_model`, of which there were two, stays valid: there is one now."""
        if isinstance(document, Mapping):
            return {name: value for name, value in document.items() if name != "purchase_model"}
        return document

    @model_validator(mode="after")
    def _repeaters_are_customers(self) -> ForecastPolicy:
        if self.minimum_repeaters > self.minimum_customers:
            raise ValueError("minimum_repeaters may not exceed minimum_customers: those who bought again are customers")
        return self

    def horizon(self) -> Horizon:
        """The horizon as the computation takes it."""
        return Horizon(self.horizon_months, float(self.discount_rate))


class ModelPolicy(_Policy):
    """How model value is computed.

    A wallet that nobody stated is estimated when so many peers have one: `peer_quantile` of their wallet to own sales.
    Before anything is won or lost, an opportunity is won by Beta(`wins`, `losses`), a mean of 0.20.
    """

    minimum_peers: int = Field(10, ge=1)
    peer_quantile: float = Field(0.5, gt=0, lt=1)
    wins: Positive = 2.0
    losses: Positive = 8.0
