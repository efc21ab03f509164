"""Transaction and finance indicators, against plain computations, in any order and with repeats."""

import random
import statistics
from datetime import date
from fractions import Fraction
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from rapport_scoring.domain.indicators import NUMBERS, Indicator, Missing, finance_indicators, transaction_indicators
from rapport_scoring.domain.indicators.finance import (
    days_to_pay,
    late_ratio,
    overdue_ratio,
    reported_exposure,
    reported_overdue_ratio,
)
from rapport_scoring.domain.ledger.purchases import Purchase
from rapport_scoring.domain.settlement.receivables import Receivable
from tests.unit.scoring.indicators.examples import DAY, RATES, day, purchase, purchases, receivable, receivables

SEEDS = st.integers(0, 1000)


def named(indicators: tuple[Indicator, ...], name: str, where: str | None = None) -> Indicator:
    """The one indicator of a name, and of a currency where it is given."""
    [found] = [each for each in indicators if each.name == name and where in (None, each.subject)]
    return found


@given(purchases(), receivables(), SEEDS)
def test_neither_order_nor_repeats_matter(bought: list[Purchase], owed: list[Receivable], seed: int) -> None:
    order = random.Random(seed)
    more, doubled = bought + bought[:3], owed + owed[:2]
    order.shuffle(more)
    order.shuffle(doubled)
    assert transaction_indicators(more, DAY) == transaction_indicators(bought, DAY)
    assert finance_indicators(doubled, more, DAY) == finance_indicators(owed, bought, DAY)


@given(purchases(), receivables())
def test_every_indicator_has_a_value_or_a_reason(bought: list[Purchase], owed: list[Receivable]) -> None:
    found = (*transaction_indicators(bought, DAY), *finance_indicators(owed, bought, DAY))
    assert len({each.key for each in found}) == len(found)
    for each in found:
        assert (each.value is None) == (each.missing is not None)
        assert each.name in NUMBERS
        assert each.value is None or Fraction(each.value) is not None
        assert len(each.events) == min(each.event_count, 20) == len(set(each.events))


@given(purchases())
def test_orders_and_intervals_are_those_of_statistics(bought: list[Purchase]) -> None:
    figures = transaction_indicators(bought, DAY)
    days = sorted({each.day for each in bought if each.day <= DAY})
    intervals = [(later - earlier).days for earlier, later in pairwise(days)]
    assert named(figures, "orders").value == sum(each.day <= DAY for each in bought)
    assert named(figures, "recency_days").value == ((DAY - max(days)).days if days else None)
    mean, variation = named(figures, "interval_mean_days").value, named(figures, "interval_variation").value
    if intervals:
        assert mean is not None
        assert abs(float(mean) - statistics.mean(intervals)) <= 0.0051
    if len(intervals) > 1:
        assert variation is not None
        assert abs(float(variation) - statistics.pstdev(intervals) / statistics.mean(intervals)) <= 0.0001
    assert (mean is None, variation is None) == (len(intervals) < 1, len(intervals) < 2)


@given(purchases())
def test_mean_order_and_trend_by_currency(bought: list[Purchase]) -> None:
    figures = transaction_indicators(bought, DAY)
    for currency in {each.currency for each in bought if each.day <= DAY}:
        own = [each for each in bought if each.currency == currency and each.day <= DAY]
        assert named(figures, "average_order_value", currency).value == round(
            Fraction(sum(each.revenue for each in own), len(own))
        )
        last = sum(each.revenue for each in own if (DAY - each.day).days < 90)
        before = sum(each.revenue for each in own if 90 <= (DAY - each.day).days < 180)
        value = named(figures, "trend", currency).value
        assert (
            value is None if before == 0 else abs(Fraction(str(value)) - Fraction(last, before)) <= Fraction(1, 20_000)
        )


def test_indicators_name_their_newest_events_first() -> None:
    bought = [purchase(-offset) for offset in range(30)]
    orders = named(transaction_indicators(bought, DAY), "orders")
    assert orders.events == tuple(each.event_id for each in bought[:20])
    assert (orders.value, orders.event_count) == (30, 30)


def test_a_customer_that_never_bought_has_reasons() -> None:
    assert [each.missing for each in transaction_indicators([], DAY)] == [
        None,
        Missing.NO_PURCHASE,
        Missing.TOO_FEW_PURCHASES,
        Missing.TOO_FEW_PURCHASES,
    ]
    assert {each.missing for each in finance_indicators([], [], DAY)} == {Missing.NO_INVOICE}


def test_a_prompt_payer_and_a_late_one() -> None:
    prompt = [receivable(1, -60, {}, ((-40, 1000, -30),)), receivable(2, -10, {20: 500})]
    late = [receivable(3, -100, {-70: 800, 10: 200}, ((-20, 1000, -70),))]
    assert [overdue_ratio(prompt, DAY), late_ratio(prompt, DAY), days_to_pay(prompt, DAY)] == [0, 0, 20]
    assert [overdue_ratio(late, DAY), late_ratio(late, DAY), days_to_pay(late, DAY)] == [Fraction(4, 5), 1, 80]
    figures = finance_indicators(prompt, [], DAY)
    assert named(figures, "days_sales_outstanding").value == "30.00"  # 500 open of 1,500 in 90 days
    assert (named(figures, "exposure").value, named(figures, "credit_cost").value) == (500, 12)


def test_what_is_due_today_is_not_overdue() -> None:
    assert late_ratio([receivable(1, -30, {}, ((-1, 100, -1), (-1, 100, -2)))], DAY) == Fraction(1, 2)
    assert overdue_ratio([receivable(1, -30, {0: 100})], DAY) == 0
    assert overdue_ratio([receivable(1, -30, {0: 100})], day(1)) == 1


@given(receivables())
def test_ratios_lie_between_none_and_all(owed: list[Receivable]) -> None:
    assert 0 <= overdue_ratio(owed, DAY) <= 1
    late = late_ratio(owed, DAY)
    assert late is None or 0 <= late <= 1


@given(receivables(), st.integers(0, 100))
def test_the_reported_ratio_is_that_of_one_currency_where_there_is_one(owed: list[Receivable], ahead: int) -> None:
    own = [each for each in owed if each.currency == "EUR"]
    assert reported_overdue_ratio(own, RATES, DAY, day(ahead)) == overdue_ratio(own, day(ahead))
    total = sum(each.open * (8 if each.currency == "EUR" else 1) for each in owed)
    assert reported_exposure(owed, RATES, DAY) == total
    foreign = [*owed, receivable(99, -10, {5: 100}, currency="USD")]
    assert reported_exposure(foreign, RATES, DAY) is None
    assert reported_overdue_ratio(foreign, RATES, DAY, DAY) is None


def test_the_depth_of_discounts_counts_purchases_with_a_list_price() -> None:
    bought = [purchase(-3, 900, listed=1000), purchase(-2, 500, number=1), purchase(-1, 700, number=2, listed=1000)]
    assert named(finance_indicators([], bought, DAY), "discount_depth").value == "0.2000"
    unlisted = finance_indicators([], [purchase(-1)], DAY)
    assert named(unlisted, "discount_depth").missing is Missing.NO_LIST_PRICE


def test_what_happens_after_the_day_is_not_known() -> None:
    early = date(2000, 1, 1)
    assert named(transaction_indicators([purchase(0)], early), "orders").value == 0
