"""The potential of a customer: the purchase model, the order value and the margin of its group put together."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from rapport_scoring.domain.forecast.gamma_gamma import expected_value
from rapport_scoring.domain.forecast.histories import MONTH, PurchaseHistory, Recency
from rapport_scoring.domain.forecast.horizons import Horizon
from rapport_scoring.domain.forecast.margins import shrunk_rate
from rapport_scoring.domain.forecast.parameters import GroupParameters
from rapport_scoring.domain.forecast.potential import Prospect, potential_value, prospect

PotentialReason = Literal["no_purchase", "no_order_value"]


@dataclass(frozen=True, slots=True)
class Earned:
    """What the orders of a customer brought until now, in minor units of one currency."""

    contribution: float
    revenue: float
    orders: int


@dataclass(frozen=True, slots=True)
class Potential:
    """`value` and what it is made of, money in minor units; None where `reason` says why there is none."""

    value: float | None
    reason: PotentialReason | None = None
    recency: Recency | None = None
    prospect: Prospect | None = None
    order_value: float | None = None
    contribution_rate: float | None = None
    order_contribution: float | None = None


def potential(
    group: GroupParameters,
    history: PurchaseHistory,
    currency: str,
    earned: Earned,
    as_of: date | datetime,
    horizon: Horizon,
) -> Potential:
    """Order value × contribution rate × discounted orders, by the parameters of the customer's group.

    `history` is in `currency` and has no purchase after `as_of`; `earned` is of the same orders. The order value is of
    days with a purchase, the first one included. In a currency without parameters it is the customer's own mean.
    """
    recency = history.recency(as_of, MONTH)
    if recency is None:
        return Potential(None, "no_purchase")
    found = prospect(group.purchases, recency, horizon, group.correction)
    value = _order_value(group, history, currency)
    if value is None:
        return Potential(None, "no_order_value", recency, found)
    rate = shrunk_rate(group.margin, earned.contribution, earned.revenue, earned.orders)
    return Potential(potential_value(value * rate, found), None, recency, found, value, rate, value * rate)


def _order_value(group: GroupParameters, history: PurchaseHistory, currency: str) -> float | None:
    model, mean = group.order_values.get(currency), history.mean or 0.0
    if model is not None:
        return expected_value(model, len(history), mean)
    return mean if mean > 0 else None
