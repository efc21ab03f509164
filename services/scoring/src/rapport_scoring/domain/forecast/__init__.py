"""Potential and model value: what a customer will buy, what that contributes, and what rivals have of it. Pure.

Keep a `PurchaseHistory` per customer, `refit` all of them now and then, `prospect` each with its group's parameters:
`backtest` says how well that forecasts.
"""

from rapport_scoring.domain.forecast.backtest import Accuracy, Backtest, backtest
from rapport_scoring.domain.forecast.gamma_gamma import GammaGamma, expected_value
from rapport_scoring.domain.forecast.histories import MONTH, PurchaseHistory, Recency
from rapport_scoring.domain.forecast.horizons import Horizon
from rapport_scoring.domain.forecast.intervals import order_interval
from rapport_scoring.domain.forecast.margins import MarginPrior, shrunk_order_cost, shrunk_rate
from rapport_scoring.domain.forecast.parameters import FittedParameters, GroupParameters, PeerWallets
from rapport_scoring.domain.forecast.pdo_nbd import PdoNbd, probability_alive, silence_alarm
from rapport_scoring.domain.forecast.policy import ForecastPolicy, ModelPolicy
from rapport_scoring.domain.forecast.potential import Prospect, potential_value, prospect, prospects
from rapport_scoring.domain.forecast.refit import Member, prior_parameters, refit
from rapport_scoring.domain.forecast.wallet import (
    ModelValue,
    OwnSales,
    Reason,
    Wallet,
    model_value,
    standing_statements,
)
from rapport_scoring.domain.forecast.win_rates import WinRate

__all__ = [
    "MONTH",
    "Accuracy",
    "Backtest",
    "FittedParameters",
    "ForecastPolicy",
    "GammaGamma",
    "GroupParameters",
    "Horizon",
    "MarginPrior",
    "Member",
    "ModelPolicy",
    "ModelValue",
    "OwnSales",
    "PdoNbd",
    "PeerWallets",
    "Prospect",
    "PurchaseHistory",
    "Reason",
    "Recency",
    "Wallet",
    "WinRate",
    "backtest",
    "expected_value",
    "model_value",
    "order_interval",
    "potential_value",
    "prior_parameters",
    "probability_alive",
    "prospect",
    "prospects",
    "refit",
    "shrunk_order_cost",
    "shrunk_rate",
    "silence_alarm",
    "standing_statements",
]
