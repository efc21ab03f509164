"""Model value: what could be won of the customer's wallet that rivals have now."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Literal

import numpy as np

from rapport_scoring.domain.facts import WalletStatement
from rapport_scoring.domain.forecast.parameters import PeerWallets
from rapport_scoring.domain.forecast.win_rates import WinRate


class Reason(StrEnum):
    """Why a model value is what it is: the first three say why there is none, the others why it is 0 or a number."""

    WALLET_UNKNOWN = "wallet_unknown"
    WALLET_IN_ANOTHER_CURRENCY = "wallet_in_another_currency"
    NO_OWN_SALES = "no_own_sales"
    SINGLE_SOURCE = "single_source"
    WALLET_IS_OURS = "wallet_is_ours"
    WALLET_STATED = "wallet_stated"
    WALLET_OF_PEERS = "wallet_of_peers"


@dataclass(frozen=True, slots=True)
class OwnSales:
    """What the customer bought from us a month, in minor units of a currency, and in how many orders a month."""

    amount: float
    orders: float
    currency: str

    def __post_init__(self) -> None:
        if not (math.isfinite(self.amount) and math.isfinite(self.orders) and self.orders >= 0):
            raise ValueError(f"sales a month are finite numbers, not {self}")


@dataclass(frozen=True, slots=True)
class Wallet:
    """What the customer spends a month with whomever, in minor units, and on what that rests.

    `basis` is the weakest of the statements, or `peers`, which then says how many and which quantile.
    """

    amount: float
    basis: Literal["declared", "observed", "estimated", "peers"]
    single_source: bool
    statements: tuple[WalletStatement, ...] = ()
    peers: PeerWallets | None = None


@dataclass(frozen=True, slots=True)
class ModelValue:
    """`value` in minor units, None where `reason` says why it is unknown; `at_rivals` is what rivals have a month."""

    value: float | None
    reason: Reason
    wallet: Wallet | None = None
    at_rivals: float | None = None


def standing_statements(statements: Iterable[WalletStatement], on: date) -> tuple[WalletStatement, ...]:
    """The statements in force on a day: of each category the newest, by what happened and then by its id."""
    newest: dict[str, WalletStatement] = {}
    for statement in sorted(statements, key=lambda each: (each.from_day, each.occurred_at, each.event_id)):
        if statement.from_day <= on and (statement.until is None or on <= statement.until):
            newest[statement.category] = statement
    return tuple(newest[category] for category in sorted(newest))


def stated_wallet(standing: Sequence[WalletStatement], currency: str) -> Wallet | None:
    """The sum of `standing_statements` over categories; None where there are none, or any in another currency."""
    if not standing or any(statement.currency != currency for statement in standing):
        return None
    weakest = max((statement.basis for statement in standing), key=("declared", "observed", "estimated").index)
    amount = float(sum(statement.amount for statement in standing))
    return Wallet(amount, weakest, all(statement.single_source for statement in standing), tuple(standing))


def wallet_of_peers(own: OwnSales, peers: PeerWallets | None) -> Wallet | None:
    """Own sales × the ratio of the peers; None without peers."""
    return None if peers is None else Wallet(own.amount * peers.ratio, "peers", False, peers=peers)


def peer_wallets(wallets_to_sales: Iterable[float], minimum: int, quantile: float) -> PeerWallets | None:
    """The quantile of the wallet to own sales of customers who stated theirs; None for fewer than `minimum`.

    A ratio below 1 is a wallet that we know too little of, and counts as 1.
    """
    ratios = [max(ratio, 1.0) for ratio in wallets_to_sales if math.isfinite(ratio)]
    if len(ratios) < max(minimum, 1):
        return None
    return PeerWallets(len(ratios), quantile, float(np.quantile(ratios, quantile)))


def model_value(
    standing: Sequence[WalletStatement],
    own: OwnSales,
    peers: PeerWallets | None,
    win_rate: WinRate,
    contribution_rate: float,
    discounted_orders: float,
) -> ModelValue:
    """(wallet − own sales) a month ÷ own orders a month × win rate × contribution rate × discounted orders.

    The customer's occasions are its orders, and at each of them rivals get their part. Unknown is None with a reason,
    never 0; a customer who buys from us alone, or whose wallet is ours, is 0 with its reason.
    """
    if any(statement.currency != own.currency for statement in standing):
        return ModelValue(None, Reason.WALLET_IN_ANOTHER_CURRENCY)
    wallet = stated_wallet(standing, own.currency)
    if wallet is not None and wallet.single_source:
        return ModelValue(0.0, Reason.SINGLE_SOURCE, wallet, 0.0)
    if own.amount <= 0 or own.orders <= 0:
        return ModelValue(None, Reason.NO_OWN_SALES, wallet)
    wallet = wallet or wallet_of_peers(own, peers)
    if wallet is None:
        return ModelValue(None, Reason.WALLET_UNKNOWN)
    at_rivals = max(wallet.amount - own.amount, 0.0)
    if at_rivals == 0:
        return ModelValue(0.0, Reason.WALLET_IS_OURS, wallet, at_rivals)
    value = at_rivals / own.orders * win_rate.mean * contribution_rate * discounted_orders
    return ModelValue(
        value, Reason.WALLET_OF_PEERS if wallet.basis == "peers" else Reason.WALLET_STATED, wallet, at_rivals
    )
