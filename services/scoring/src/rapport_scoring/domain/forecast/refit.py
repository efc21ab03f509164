"""A refit: from all customers to the parameters of the company and of each group that can bear its own."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np

from rapport_scoring.domain.forecast.fitting import Cohort, PurchaseFit, fit_purchases, fit_values
from rapport_scoring.domain.forecast.gamma_gamma import GammaGamma
from rapport_scoring.domain.forecast.histories import MONTH, PurchaseHistory
from rapport_scoring.domain.forecast.margins import MarginPrior, fit_margins
from rapport_scoring.domain.forecast.parameters import FittedParameters, GroupParameters, PeerWallets, Source
from rapport_scoring.domain.forecast.policy import ForecastPolicy, ModelPolicy
from rapport_scoring.domain.forecast.rolling import correction, rolling_checks
from rapport_scoring.domain.forecast.wallet import peer_wallets
from rapport_scoring.domain.forecast.win_rates import WinRate


@dataclass(frozen=True, slots=True)
class Member:
    """What a refit takes of one customer.

    `history` is in `currency`; `revenue` and `contribution` are the sums of the customer's `orders` in minor units of
    it, and `order_costs` what each order costs whatever it is worth, as a sum ≥ 0; `won` and `lost` count its
    opportunities; `wallet_to_sales` is there where the customer stated its wallet.
    """

    group: str | None
    history: PurchaseHistory
    currency: str
    revenue: int = 0
    contribution: int = 0
    orders: int = 0
    order_costs: int = 0
    won: int = 0
    lost: int = 0
    wallet_to_sales: float | None = None


def prior_parameters(forecast: ForecastPolicy, model: ModelPolicy) -> FittedParameters:
    """The parameters of a company without customers: those of the policies."""
    prior = forecast.value_prior
    values = {currency: GammaGamma.around(mean, prior.p, prior.q) for currency, mean in prior.means.items()}
    purchases, rate = forecast.purchase_prior.model(), WinRate(model.wins, model.losses)
    return FittedParameters(GroupParameters(purchases, "prior", values, forecast.margin.prior(), "prior", rate))


def refit(
    members: Iterable[Member], as_of: date | datetime, forecast: ForecastPolicy, model: ModelPolicy
) -> FittedParameters:
    """The parameters that the members' facts until `as_of` tell, for the company and for each group of members.

    A group has purchase, order value and margin parameters of its own where the policy's minimum is reached and the
    search converged, else the company's, and the company's else the prior's.
    """
    everybody = list(members)
    company = _group(everybody, as_of, prior_parameters(forecast, model).company, "company", forecast, model)
    by_group: defaultdict[str, list[Member]] = defaultdict(list)
    for member in everybody:
        if member.group is not None:
            by_group[member.group].append(member)
    groups = {name: _group(of, as_of, company, "group", forecast, model) for name, of in sorted(by_group.items())}
    return FittedParameters(company, groups)


def _group(
    members: Sequence[Member],
    as_of: date | datetime,
    above: GroupParameters,
    source: Source,
    forecast: ForecastPolicy,
    model: ModelPolicy,
) -> GroupParameters:
    own = _fit(members, as_of, forecast)
    fit = own if own is not None and (own.converged or source == "company") else None
    enough = len(members) >= forecast.minimum_customers
    margin = _margin(members, forecast) if enough else None
    return GroupParameters(
        purchases=fit.model if fit else above.purchases,
        purchases_from=source if fit else above.purchases_from,
        order_values={**above.order_values, **_order_values(members, source, forecast)},
        margin=margin or above.margin,
        margin_from=source if margin else above.margin_from,
        win_rate=WinRate(model.wins, model.losses).after(sum(m.won for m in members), sum(m.lost for m in members)),
        wallets=_wallets(members, model) or above.wallets,
        correction=_correction(members, as_of, forecast) if fit else above.correction,
        order_costs={**above.order_costs, **(_order_costs(members) if enough or source == "company" else {})},
        fit=own,
    )


def _fit(members: Sequence[Member], as_of: date | datetime, policy: ForecastPolicy) -> PurchaseFit | None:
    """None for a group that has too few customers. One that did not converge is the company's at the most, where it
    is better than a prior."""
    cohort = Cohort.of(recency for m in members if (recency := m.history.recency(as_of)) is not None)
    if cohort.customers < policy.minimum_customers or cohort.repeaters < policy.minimum_repeaters:
        return None
    return fit_purchases(cohort)


def _correction(members: Sequence[Member], as_of: date | datetime, policy: ForecastPolicy) -> float:
    if not policy.corrected:
        return 1.0
    histories, until = [member.history for member in members], date.fromordinal(as_of.toordinal())
    days = round(policy.horizon_months * MONTH)
    return correction(rolling_checks(histories, until, days))


def _order_values(members: Sequence[Member], source: Source, policy: ForecastPolicy) -> Mapping[str, GammaGamma]:
    """By currency. The company has them from its first order on: the prior's shapes around its mean."""
    by_currency: defaultdict[str, list[tuple[int, float]]] = defaultdict(list)
    for member in members:
        if (mean := member.history.mean) is not None and mean > 0:
            by_currency[member.currency].append((len(member.history), mean))
    values = {}
    for currency, rows in sorted(by_currency.items()):
        orders, means = np.array(rows, dtype=np.float64).T
        fit = fit_values(orders, means) if len(rows) >= policy.minimum_customers else None
        if fit is not None and fit.converged:
            values[currency] = fit.model
        elif source == "company" and currency not in policy.value_prior.means:
            prior = policy.value_prior
            values[currency] = GammaGamma.around(float(orders @ means / orders.sum()), prior.p, prior.q)
    return values


def _order_costs(members: Sequence[Member]) -> Mapping[str, float]:
    """By currency the mean of all days with an order."""
    costs, days = Counter[str](), Counter[str]()
    for member in members:
        costs[member.currency] += member.order_costs
        days[member.currency] += len(member.history)
    return {currency: costs[currency] / count for currency, count in sorted(days.items()) if count}


def _margin(members: Sequence[Member], policy: ForecastPolicy) -> MarginPrior | None:
    bounds = policy.margin.least_strength, policy.margin.most_strength
    sums = np.array([(m.contribution + m.order_costs, m.revenue, m.orders) for m in members], dtype=np.float64)
    return fit_margins(sums[:, 0], sums[:, 1], sums[:, 2], bounds)


def _wallets(members: Sequence[Member], policy: ModelPolicy) -> PeerWallets | None:
    stated = [member.wallet_to_sales for member in members if member.wallet_to_sales is not None]
    return peer_wallets(stated, policy.minimum_peers, policy.peer_quantile)
