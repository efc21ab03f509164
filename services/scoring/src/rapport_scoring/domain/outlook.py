"""Expected value of a customer: potential value from its own purchases, model value from its purchases from rivals."""

from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from rapport_scoring.domain.facts import Attributes
from rapport_scoring.domain.figures import YEAR, CustomerFigures, PurchaseDays
from rapport_scoring.domain.fixed_point import decimal_text
from rapport_scoring.domain.forecast import (
    MONTH,
    GroupParameters,
    Horizon,
    OwnSales,
    Prospect,
    Recency,
    Wallet,
    expected_value,
    model_value,
    order_interval,
    potential_value,
    prospect,
    shrunk_order_cost,
    shrunk_rate,
    standing_statements,
)
from rapport_scoring.domain.forecast import (
    ModelValue as Modelled,
)
from rapport_scoring.domain.forecast.parameters import MODEL
from rapport_scoring.domain.indicators.attribute import share_of_wallet, wallets_in_force
from rapport_scoring.domain.ledger.lines import Part
from rapport_scoring.domain.rates import Rates
from rapport_scoring.domain.rules import Rules
from rapport_scoring.domain.state import CustomerState
from rapport_scoring.domain.sums import BUYS, EARNED, each
from rapport_shared.contracts.money import Amount
from rapport_shared.contracts.scoring import ContemporaryValue, ModelValue, PotentialValue

NO_PURCHASE, RATE_MISSING, ORDER_VALUE_UNKNOWN = "no_purchase", "rate_missing", "order_value_unknown"


@dataclass(frozen=True, slots=True)
class Rhythm:
    """The days on which a customer bought, and the revenue of all its purchases in one currency, in minor units."""

    bought_on: PurchaseDays
    revenue: int

    @property
    def mean(self) -> float | None:
        """The mean revenue of a day with a purchase; None when there is none."""
        return self.revenue / len(self.bought_on) if self.bought_on else None

    def recency(self, day: date) -> Recency | None:
        """(x, t_x, T) in months on a day, from the purchases up to this day; None without purchases."""
        days = self.bought_on.until(day).ordinals
        if not days:
            return None
        return Recency(len(days) - 1, (days[-1] - days[0]) / MONTH, (day.toordinal() - days[0]) / MONTH)


@dataclass(frozen=True, slots=True)
class Basis:
    """The inputs of a forecast: purchases in one currency, and the value and cost of an order in this currency.

    `rate` is the share of revenue that is left before handling, `order_cost` the handling cost of an order in minor
    units, which does not depend on its value.
    """

    rhythm: Rhythm
    currency: str
    parameters: GroupParameters
    horizon: Horizon
    order_value: float
    rate: float
    order_cost: float

    @property
    def order_contribution(self) -> float:
        """The expected contribution of an order in minor units; negative if the order costs more than it brings."""
        return self.order_value * self.rate - self.order_cost

    def prospect(self, recency: Recency) -> Prospect:
        """The expected orders, multiplied by the correction of the fit."""
        return prospect(self.parameters.purchases, recency, self.horizon, self.parameters.correction)

    def orders(self, day: date) -> tuple[int, int] | None:
        """The 80 % interval of the number of orders within the horizon; None before the first purchase."""
        recency, of = self.rhythm.recency(day), self.parameters
        if recency is None:
            return None
        return order_interval(of.purchases, recency, self.horizon.months, of.correction)

    def potential(self, day: date) -> Fraction | None:
        """Potential value on a day, from the purchases up to this day; None before the first."""
        recency = self.rhythm.recency(day)
        if recency is None:
            return None
        return Fraction(round(potential_value(self.order_contribution, self.prospect(recency))))


@dataclass(frozen=True, slots=True)
class Outlook:
    """Potential and model value as published, and the basis of the forecast; None if there is no forecast."""

    potential: PotentialValue
    model: ModelValue
    basis: Basis | None = None
    group: str | None = None


def outlook(state: CustomerState, rules: Rules, sums: ContemporaryValue, today: date) -> Outlook:
    """The outlook of a customer at the end of `today`."""
    group = peer_group(state.attributes, state.unit, rules)
    found = _basis(rules, state.figures, sums, group, today)
    if isinstance(found, str):
        potential = PotentialValue(value=None, reason=found, **_frame(rules))
        return Outlook(potential, ModelValue(value=None, reason=found), None, group)
    recency = found.rhythm.recency(today)
    assert recency is not None
    expected = found.prospect(recency)
    potential = _potential(rules, found, recency, expected, group)
    return Outlook(potential, _model(state, rules, found, expected, today), found, group)


def peer_group(attributes: Attributes, unit: str | None, rules: Rules) -> str | None:
    """The name of the customer's peer group: its stated values of the attributes in `peers_by`; None without any."""
    stated = {name: attribute.value for name, attribute in attributes.items()}
    if unit is not None:
        stated["unit"] = unit
    names = [f"{name}={stated[name]}" for name in rules.value.peers_by if name in stated]
    return ",".join(names) or None


def _basis(
    rules: Rules, figures: CustomerFigures, sums: ContemporaryValue, group: str | None, today: date
) -> Basis | str:
    """The basis of a forecast, or the reason for having none. Currencies are converted at the rates of `today`."""
    currencies = figures.currencies
    if not currencies:
        return NO_PURCHASE
    rates, parameters = rules.value.rates, rules.parameters.of(group)
    currency = currencies[0] if len(currencies) == 1 else rates.reporting
    paid = [_in(rates, figures.earned(code), code, currency, today) for code in currencies]
    own, revenue, handling = _sums(rates, sums, currency, today)
    if any(value is None for value in paid) or own is None or revenue is None or handling is None:
        return RATE_MISSING
    rhythm = Rhythm(figures.bought_on, sum(value for value in paid if value is not None))
    worth = _order_value(parameters, rhythm, currency)
    if worth is None:
        return ORDER_VALUE_UNKNOWN
    rate = shrunk_rate(parameters.margin, own - handling, revenue, figures.purchase_count)
    usual = parameters.order_costs.get(currency, float(rules.value.ledger.handling_cost.get(currency, 0)))
    order_cost = shrunk_order_cost(usual, parameters.margin.strength, -handling, len(rhythm.bought_on))
    return Basis(rhythm, currency, parameters, rules.value.forecast.horizon(), worth, rate, order_cost)


def _order_value(parameters: GroupParameters, rhythm: Rhythm, currency: str) -> float | None:
    """The expected revenue of a day with a purchase: the customer's own where nothing is known of others'."""
    model, mean = parameters.order_values.get(currency), rhythm.mean
    if mean is None or mean <= 0:
        return None
    return mean if model is None else expected_value(model, len(rhythm.bought_on), mean)


def _in(rates: Rates, amount: int, code: str, currency: str, day: date) -> int | None:
    """An amount of `code` in `currency`, which is the same or the reporting currency."""
    return amount if code == currency else rates.worth(amount, code, day)


def _sums(rates: Rates, sums: ContemporaryValue, currency: str, day: date) -> tuple[int | None, ...]:
    """Contribution, revenue and handling (≤ 0) of all time in `currency`."""
    parts = sums.lifetime_parts
    wanted = (sums.lifetime, parts.get(Part.REVENUE, ()), parts.get(Part.ORDER_HANDLING, ()))
    if currency != rates.reporting:
        return tuple(sum(one.amount for one in amounts if one.currency == currency) for amounts in wanted)
    return tuple(rates.convert(amounts, day).amount for amounts in wanted)


def _frame(rules: Rules) -> dict[str, int | str]:
    policy = rules.value.forecast
    return {"horizon_months": policy.horizon_months, "discount_rate": str(policy.discount_rate)}


def _potential(rules: Rules, basis: Basis, recency: Recency, expected: Prospect, group: str | None) -> PotentialValue:
    value = potential_value(basis.order_contribution, expected)
    source = basis.parameters.purchases_from
    return PotentialValue(
        value=_money(value, basis.currency),
        model=f"{MODEL}+gamma_gamma",
        group=group or source if source == "group" else source,
        repeats=recency.repeats,
        recency=f"{recency.last:.6f}",
        age=f"{recency.age:.6f}",
        alive=f"{expected.alive:.6f}",
        expected_orders=f"{expected.expected_orders:.4f}",
        discounted_orders=f"{expected.discounted_orders:.4f}",
        order_value=_money(basis.order_value, basis.currency),
        contribution_rate=f"{basis.rate:.6f}",
        order_cost=_money(basis.order_cost, basis.currency),
        order_contribution=_money(basis.order_contribution, basis.currency),
        horizon_months=rules.value.forecast.horizon_months,
        discount_rate=str(rules.value.forecast.discount_rate),
    )


def _model(state: CustomerState, rules: Rules, basis: Basis, expected: Prospect, today: date) -> ModelValue:
    own = own_sales(rules.value.rates, state.figures, basis.currency, today)
    rate, prior = basis.parameters.win_rate, rules.value.model
    found = model_value(
        standing_statements(state.wallets, today),
        own,
        basis.parameters.wallets,
        rate,
        basis.rate,
        expected.discounted_orders,
    )
    return ModelValue(
        value=None if found.value is None else _money(found.value, basis.currency),
        reason=found.reason.value,
        wallet_per_month=_money(found.wallet.amount, basis.currency) if found.wallet else None,
        wallet_basis=_wallet_basis(found),
        peers=found.wallet.peers.peers if found.wallet and found.wallet.peers else 0,
        own_per_month=_money(own.amount, basis.currency),
        orders_per_month=f"{own.orders:.4f}",
        win_rate=f"{rate.mean:.6f}",
        won=round(rate.wins - prior.wins),
        lost=round(rate.losses - prior.losses),
        share_of_wallet=_share(state, rules, own, found.wallet, today),
        single_sourced=found.wallet.single_source if found.wallet else False,
    )


def _wallet_basis(found: Modelled) -> str | None:
    if found.wallet is None:
        return None
    return "estimated" if found.wallet.basis == "peers" else found.wallet.basis


def _share(state: CustomerState, rules: Rules, own: OwnSales, wallet: Wallet | None, today: date) -> str | None:
    """Of stated wallets the indicator of that name; of one that is estimated from peers own sales ÷ wallet."""
    stated = share_of_wallet(wallets_in_force(state.wallets, today), state.figures, rules.value.rates, today)
    if isinstance(stated, Fraction):
        return decimal_text(stated)
    if wallet is None or wallet.peers is None or wallet.amount <= 0:
        return None
    return f"{own.amount / wallet.amount:.4f}"


def own_sales(rates: Rates, figures: CustomerFigures, currency: str, today: date) -> OwnSales:
    """What a customer bought a month: in the last year, or since its first purchase, and of a month at the least.

    What is in another currency counts at the rates of `today`. Raises ValueError for who never bought.
    """
    first = figures.bought_on.first
    if first is None:
        raise ValueError("own sales need a purchase")
    months = min(max((today - first).days / MONTH, 1.0), YEAR.days / MONTH)
    lately = figures.within(YEAR, today)
    amount = sum(_in(rates, earned, code, currency, today) or 0 for code, earned in each(lately, EARNED))
    return OwnSales(amount / months, sum(count for _, count in each(lately, BUYS)) / months, currency)


def _money(value: float, currency: str) -> Amount:
    return Amount(amount=round(value), currency=currency)
