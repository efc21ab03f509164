"""What an order contributes: a share of its revenue, less what each order costs whatever it is worth."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport_scoring.domain.customer import CustomerFacts
from rapport_scoring.domain.forecast import GammaGamma
from rapport_scoring.domain.ledger.documents import Statement
from rapport_scoring.domain.rules import Rules, shipped_rules
from rapport_scoring.domain.state import state_of
from rapport_scoring.domain.valuation import Valuation, valuation
from rapport_scoring.domain.value_policy import ValuePolicy
from tests.unit.scoring.documents import PROFILE, day, line, on, order

HANDLING = 20_000
SHIPPED = shipped_rules()


def rules(handling: int, mean: float | None = None) -> Rules:
    """What ships, with another cost of an order, and orders worth `mean` on average."""
    policy = ValuePolicy.model_validate({"ledger": {"handling_cost": {"CNY": handling}}})
    values = {"CNY": GammaGamma.around(mean, 6.25, 3.74)} if mean else {}
    company = replace(SHIPPED.parameters.company, order_values=values)
    return replace(SHIPPED, value=policy, parameters=replace(SHIPPED.parameters, company=company))


def valued(statements: list[Statement], under: Rules) -> Valuation:
    facts = CustomerFacts(PROFILE, (PROFILE,), statements=statements)
    return valuation(state_of(facts, under.value, day(90)), under, day(90))


def orders(*nets: int) -> list[Statement]:
    return [
        order(str(number), 0, line("a", "1", net, cost=net * 6 // 10), **on(3 * number))
        for number, net in enumerate(nets)
    ]


def test_a_small_first_order_is_not_the_measure_of_the_next() -> None:
    """A guest who ordered for ¥100, which cost ¥200 to handle, at a firm whose orders bring ¥19,000."""
    found = valued(orders(10_000), rules(HANDLING, 1_900_000.0)).outlook.potential
    assert found.value is not None
    assert found.order_cost is not None
    assert found.order_value is not None
    assert found.order_cost.amount == HANDLING
    assert found.contribution_rate is not None
    assert Decimal("0.15") < Decimal(found.contribution_rate) < Decimal("0.4")
    assert found.value.amount > 0
    assert valued(orders(10_000), rules(0, 1_900_000.0)).outlook.potential.contribution_rate == found.contribution_rate


def test_who_orders_for_less_than_it_costs_is_worth_less_than_nothing() -> None:
    found = valued(orders(*[10_000] * 20), rules(HANDLING)).outlook.potential
    assert found.value is not None
    assert found.order_contribution is not None
    assert found.order_contribution.amount < 0
    assert found.value.amount < 0
    assert found.order_contribution.amount > -HANDLING


@given(st.lists(st.integers(0, 10**7), min_size=1, max_size=12), st.integers(0, 10**5), st.integers(1, 10**7))
def test_the_figures_add_up_for_who_reads_them(nets: list[int], handling: int, mean: int) -> None:
    found = valued(orders(*nets), rules(handling, float(mean))).outlook.potential
    if found.value is None:
        assert sum(nets) == 0
        return
    assert found.order_value is not None
    assert found.order_cost is not None
    assert found.order_contribution is not None
    assert found.contribution_rate is not None
    assert found.discounted_orders is not None
    by_hand = found.order_value.amount * Decimal(found.contribution_rate) - found.order_cost.amount
    assert found.order_contribution.amount == pytest.approx(float(by_hand), abs=2 + 1e-6 * found.order_value.amount)
    total = found.order_contribution.amount * Decimal(found.discounted_orders)
    orders_ahead = float(found.discounted_orders)
    within = 1 + orders_ahead + 1e-4 * abs(found.order_contribution.amount)
    assert found.value.amount == pytest.approx(float(total), abs=within)


@given(st.lists(st.integers(1, 10**7), min_size=1, max_size=12), st.integers(0, 10**5), st.integers(0, 10**5))
def test_dearer_handling_takes_as_much_off_each_order(nets: list[int], cheap: int, dear: int) -> None:
    one, other = (valued(orders(*nets), rules(handling)).outlook.basis for handling in (cheap, dear))
    assert one is not None
    assert other is not None
    assert one.rate == other.rate
    assert one.order_contribution - other.order_contribution == pytest.approx(dear - cheap, abs=1e-3)
