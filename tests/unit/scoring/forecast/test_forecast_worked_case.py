"""Two customers worked out by hand: one who orders monthly and buys elsewhere too, one who buys from us alone."""

from datetime import UTC, date, datetime
from uuid import UUID

import pytest

from rapport_scoring.domain.facts import WalletStatement
from rapport_scoring.domain.forecast import (
    MONTH,
    ForecastPolicy,
    ModelPolicy,
    OwnSales,
    Reason,
    Recency,
    WinRate,
    model_value,
    potential_value,
    prospect,
    silence_alarm,
)

POLICY = ForecastPolicy()
PRIOR = POLICY.purchase_prior.model()
A, B = Recency(4, 4.0, 4.0), Recency(359, 35.9, 35.9)
CONTRIBUTION_A, CONTRIBUTION_B = 15_884.69, 2_431.58
SCALING_A = 16_084.68
"""Before the handling of an order, which what else is won does not add to."""
CONTEMPORARY_A, CONTEMPORARY_B = 49_777.35, 72_947.40
TURN = 0.4170


def statement(amount: int, *, single_source: bool = False) -> WalletStatement:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    return WalletStatement(
        UUID(int=1), UUID(int=2), at, "steel", date(2026, 1, 1), None, amount, "CNY", "declared", single_source
    )


@pytest.mark.parametrize(
    ("recency", "contribution", "alive", "orders", "discounted", "potential", "alarm_days"),
    [
        (A, CONTRIBUTION_A, 1.0, 36.1004, 29.5479, 469_359.02, 155.4),
        (B, CONTRIBUTION_B, 1.0, 460.4932, 370.9678, 902_037.84, 17.2),
    ],
)
def test_the_potential_of_both(
    recency: Recency,
    contribution: float,
    alive: float,
    orders: float,
    discounted: float,
    potential: float,
    alarm_days: float,
) -> None:
    found = prospect(PRIOR, recency, POLICY.horizon())
    assert found.alive == pytest.approx(alive, abs=1e-6)
    assert found.expected_orders == pytest.approx(orders, abs=1e-4)
    assert found.discounted_orders == pytest.approx(discounted, abs=1e-4)
    assert potential_value(contribution, found) == pytest.approx(potential, rel=1e-6)
    alarm = silence_alarm(PRIOR, recency.repeats, recency.last, POLICY.alarm_probability)
    assert alarm is not None
    assert (alarm - recency.last) * MONTH == pytest.approx(alarm_days, abs=0.05)


def model_of_a(win_rate: WinRate) -> float:
    orders = prospect(PRIOR, A, POLICY.horizon()).discounted_orders
    own = OwnSales(100_000, 1, "CNY")
    found = model_value([statement(330_000)], own, None, win_rate, SCALING_A / 100_000, orders)
    assert found.reason is Reason.WALLET_STATED
    assert found.at_rivals == 230_000
    assert found.value is not None
    return found.value


def test_what_could_be_won_of_the_first() -> None:
    policy = ModelPolicy()
    assert model_of_a(WinRate(policy.wins, policy.losses)) == pytest.approx(218_623.6, rel=1e-6)


def test_nothing_can_be_won_of_a_sole_source() -> None:
    own = OwnSales(100_000, 10, "CNY")
    found = model_value([statement(100_000, single_source=True)], own, None, WinRate(2, 8), 0.1, 371.0)
    assert (found.value, found.reason) == (0.0, Reason.SINGLE_SOURCE)


@pytest.mark.parametrize(("win_rate", "first_is_a"), [(0.20, False), (TURN - 2e-4, False), (TURN + 2e-4, True)])
def test_the_first_comes_first_once_enough_is_won(win_rate: float, first_is_a: bool) -> None:
    a = CONTEMPORARY_A + potential_value(CONTRIBUTION_A, prospect(PRIOR, A, POLICY.horizon()))
    b = CONTEMPORARY_B + potential_value(CONTRIBUTION_B, prospect(PRIOR, B, POLICY.horizon()))
    assert (a + model_of_a(WinRate(win_rate, 1 - win_rate)) > b) is first_is_a
