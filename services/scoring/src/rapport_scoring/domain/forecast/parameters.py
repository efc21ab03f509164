"""Fitted parameters: one set for the company and one for each group of customers that can bear its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from pydantic import TypeAdapter

from rapport_scoring.domain.forecast.fitting import PurchaseFit
from rapport_scoring.domain.forecast.gamma_gamma import GammaGamma
from rapport_scoring.domain.forecast.margins import MarginPrior
from rapport_scoring.domain.forecast.pdo_nbd import PdoNbd
from rapport_scoring.domain.forecast.win_rates import WinRate

MODEL: Final = "pdo_nbd"
Source = Literal["group", "company", "prior"]
"""Whose data a parameter rests on."""


@dataclass(frozen=True, slots=True)
class PeerWallets:
    """The wallets of peers: `ratio` is the `quantile` of wallet to own sales among `peers` customers."""

    peers: int
    quantile: float
    ratio: float


@dataclass(frozen=True, slots=True)
class GroupParameters:
    """The parameters of a group. Time is in months of 30.4375 days; order values are in minor units by currency.

    `margin` is of what grows with revenue; `order_costs` are what each order costs whatever it is worth, in minor units
    by currency, as a mean of those who bought in it. `correction` multiplies expected orders: what the newest part of
    the past had over what was forecast of it. `fit` is that of the group's own customers; None where they are too few.
    """

    purchases: PdoNbd
    purchases_from: Source
    order_values: Mapping[str, GammaGamma]
    margin: MarginPrior
    margin_from: Source
    win_rate: WinRate
    wallets: PeerWallets | None = None
    correction: float = 1.0
    order_costs: Mapping[str, float] = field(default_factory=dict)
    fit: PurchaseFit | None = None


@dataclass(frozen=True, slots=True)
class FittedParameters:
    """What one refit found: the company's parameters, and those of each group by name."""

    company: GroupParameters
    groups: Mapping[str, GroupParameters] = field(default_factory=dict)
    model: Literal["pdo_nbd"] = MODEL

    def of(self, group: str | None) -> GroupParameters:
        """The parameters of `group`: the company's where it is none of those fitted."""
        return self.company if group is None else self.groups.get(group, self.company)

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values; `from_json` gives back an equal object, to the last bit."""
        plain: dict[str, Any] = _ADAPTER.dump_python(self, mode="json")
        return plain

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> FittedParameters | None:
        """The inverse of `to_json`; None for the parameters of another model. Raises ValueError for anything else."""
        return _ADAPTER.validate_python(plain) if plain.get("model") == MODEL else None


_ADAPTER = TypeAdapter(FittedParameters)
