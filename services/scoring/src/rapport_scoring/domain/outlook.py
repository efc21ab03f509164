"""What is to be expected of a customer: potential value by its own rhythm, model value by what rivals have of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

from rapport_scoring.domain.customer import CustomerFacts
from rapport_scoring.domain.fixed_point import decimal_text
from rapport_scoring.domain.forecast import (
    MONTH,
    GroupParameters,
    Horizon,
    OwnSales,
    Prospect,
    PurchaseHistory,
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
from rapport_scoring.domain.indicators.attribute import category_sales, share_of_wallet, wallets_in_force
from rapport_scoring.domain.ledger.lines import Part
from rapport_scoring.domain.ledger.purchases import Purchase
from rapport_scoring.domain.rates import Rates
from rapport_scoring.domain.rules import Rules
from rapport_shared.contracts.money import Amount
from rapport_shared.contracts.scoring import ContemporaryValue, ModelValue, PotentialValue

NO_PURCHASE, RATE_MISSING, ORDER_VALUE_UNKNOWN = "no_purchase", "rate_missing", "order_value_unknown"
YEAR = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Basis:
    """What a forecast rests on: purchases in one currency, and what an order is worth and contributes in it.

    `rate` is what is left of revenue after the costs that grow with it, `order_cost` what an order costs whatever it
    is worth (its handling), in minor units.
    """

    history: PurchaseHistory
    currency: str
    parameters: GroupParameters
    horizon: Horizon
    order_value: float
    rate: float
    order_cost: float

    @property
    def order_contribution(self) -> float:
        """What an order is expected to contribute, in minor units; below 0 where it costs more than it brings."""
        return self.order_value * self.rate - self.order_cost

    def prospect(self, recency: Recency) -> Prospect:
        """What is expected, corrected by what the newest past had over its forecast."""
        return prospect(self.parameters.purchases, recency, self.horizon, self.parameters.correction)

    def orders(self, day: date) -> tuple[int, int] | None:
        """Between what the number of orders of the horizon lies by four chances in five; None before the first."""
        recency, of = self.history.recency(day), self.parameters
        if recency is None:
            return None
        return order_interval(of.purchases, recency, self.horizon.months, of.correction)

    def potential(self, day: date) -> Fraction | None:
        """Potential value on a day, of the purchases until then; None before the first."""
        recency = self.history.recency(day)
        if recency is None:
            return None
        return Fraction(round(potential_value(self.order_contribution, self.prospect(recency))))


@dataclass(frozen=True, slots=True)
class Outlook:
    """Potential and model value as they are told, and the basis of the forecast; None where there can be none."""

    potential: PotentialValue
    model: ModelValue
    basis: Basis | None = None
    group: str | None = None


def outlook(
    facts: CustomerFacts, rules: Rules, made: Sequence[Purchase], sums: ContemporaryValue, today: date
) -> Outlook:
    """The outlook of a customer at the end of `today`."""
    group = peer_group(facts, rules)
    found = _basis(rules, made, sums, group, today)
    if isinstance(found, str):
        potential = PotentialValue(value=None, reason=found, **_frame(rules))
        return Outlook(potential, ModelValue(value=None, reason=found), None, group)
    recency = found.history.recency(today)
    assert recency is not None
    expected = found.prospect(recency)
    potential = _potential(rules, found, recency, expected, group)
    return Outlook(potential, _model(facts, rules, made, found, expected, today), found, group)


def peer_group(facts: CustomerFacts, rules: Rules) -> str | None:
    """The name of the customer's peers: the attributes that the policy names, as far as they are stated."""
    stated = {name: attribute.value for name, attribute in facts.attributes.items()}
    if facts.unit is not None:
        stated["unit"] = facts.unit
    names = [f"{name}={stated[name]}" for name in rules.value.peers_by if name in stated]
    return ",".join(names) or None


def _basis(
    rules: Rules, made: Sequence[Purchase], sums: ContemporaryValue, group: str | None, today: date
) -> Basis | str:
    """The basis of a forecast, or why there is none."""
    if not made:
        return NO_PURCHASE
    rates, parameters = rules.value.rates, rules.parameters.of(group)
    currencies = {purchase.currency for purchase in made}
    currency = currencies.pop() if len(currencies) == 1 else rates.reporting
    paid = [(purchase.day, _in(rates, purchase, currency)) for purchase in made]
    own, revenue, handling = _sums(rates, sums, currency, today)
    if any(value is None for _, value in paid) or own is None or revenue is None or handling is None:
        return RATE_MISSING
    history = PurchaseHistory((day, value) for day, value in paid if value is not None)
    worth = _order_value(parameters, history, currency)
    if worth is None:
        return ORDER_VALUE_UNKNOWN
    rate = shrunk_rate(parameters.margin, own - handling, revenue, len(made))
    usual = parameters.order_costs.get(currency, float(rules.value.ledger.handling_cost.get(currency, 0)))
    order_cost = shrunk_order_cost(usual, parameters.margin.strength, -handling, len(history))
    return Basis(history, currency, parameters, rules.value.forecast.horizon(), worth, rate, order_cost)


def _order_value(parameters: GroupParameters, history: PurchaseHistory, currency: str) -> float | None:
    """The expected revenue of a day with a purchase: the customer's own where nothing is known of others'."""
    model, mean = parameters.order_values.get(currency), history.mean
    if mean is None or mean <= 0:
        return None
    return mean if model is None else expected_value(model, len(history), mean)


def _in(rates: Rates, purchase: Purchase, currency: str) -> int | None:
    if purchase.currency == currency:
        return purchase.revenue
    return rates.worth(purchase.revenue, purchase.currency, purchase.day)


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


def _model(
    facts: CustomerFacts, rules: Rules, made: Sequence[Purchase], basis: Basis, expected: Prospect, today: date
) -> ModelValue:
    own = own_sales(rules.value.rates, made, basis.currency, today)
    rate, prior = basis.parameters.win_rate, rules.value.model
    found = model_value(
        standing_statements(facts.wallets, today),
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
        share_of_wallet=_share(facts, rules, made, own, found.wallet, today),
        single_sourced=found.wallet.single_source if found.wallet else False,
    )


def _wallet_basis(found: Modelled) -> str | None:
    if found.wallet is None:
        return None
    return "estimated" if found.wallet.basis == "peers" else found.wallet.basis


def _share(
    facts: CustomerFacts, rules: Rules, made: Sequence[Purchase], own: OwnSales, wallet: Wallet | None, today: date
) -> str | None:
    """Of stated wallets the indicator of that name; of one that is estimated from peers own sales ÷ wallet."""
    stated = share_of_wallet(wallets_in_force(facts.wallets, today), category_sales(made), rules.value.rates, today)
    if isinstance(stated, Fraction):
        return decimal_text(stated)
    if wallet is None or wallet.peers is None or wallet.amount <= 0:
        return None
    return f"{own.amount / wallet.amount:.4f}"


def own_sales(rates: Rates, made: Sequence[Purchase], currency: str, today: date) -> OwnSales:
    """What a customer bought a month: in the last year, or since its first purchase, and of a month at the least."""
    lately = [purchase for purchase in made if today - YEAR < purchase.day <= today]
    first = min(purchase.day for purchase in made)
    months = min(max((today - first).days / MONTH, 1.0), YEAR.days / MONTH)
    amount = sum(_in(rates, purchase, currency) or 0 for purchase in lately)
    return OwnSales(amount / months, len(lately) / months, currency)


def _money(value: float, currency: str) -> Amount:
    return Amount(amount=round(value), currency=currency)
