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
    Credit,
    credit_of,
    days_to_pay,
    late_ratio,
    overdue_ratio,
    reported_exposure,
    reported_overdue_ratio,
)
from rapport_scoring.domain.ledger.documents import Statement
from rapport_scoring.domain.settlement.receivables import Receivable
from rapport_shared.contracts.touchpoints.commerce import Order
from tests.unit.scoring.indicators.examples import DAY, RATES, day, purchase, purchases, receivable, receivables
from tests.unit.scoring.states import billed, figures, owed

SEEDS = st.integers(0, 1000)


def named(indicators: tuple[Indicator, ...], name: str, where: str | None = None) -> Indicator:
    """The one indicator of a name, and of a currency where it is given."""
    [found] = [each for each in indicators if each.name == name and where in (None, each.subject)]
    return found


def documents(examples: list[Receivable]) -> list[Statement]:
    """The invoices of examples, and what was paid of them."""
    return [told for example in examples for told in billed(example)]


def transactions(bought: list[Statement], on: date = DAY) -> tuple[Indicator, ...]:
    return transaction_indicators(figures(bought, valued_on=on), on)


def finances(told: list[Statement]) -> tuple[Indicator, ...]:
    found = figures(told)
    return finance_indicators(found, owed(found), DAY)


def credit(examples: list[Receivable], on: date = DAY) -> Credit:
    """What there is in CNY."""
    found = figures(documents(examples), valued_on=on)
    return credit_of(found, owed(found, on), "CNY", on)


@given(purchases(), receivables(), SEEDS)
def test_neither_order_nor_repeats_matter(bought: list[Statement], examples: list[Receivable], seed: int) -> None:
    order, told = random.Random(seed), bought + documents(examples)
    more = told + told[:5]
    order.shuffle(more)
    assert transactions(more) == transactions(told)
    assert finances(more) == finances(told)


@given(purchases(), receivables())
def test_every_indicator_has_a_value_or_a_reason(bought: list[Statement], examples: list[Receivable]) -> None:
    found = (*transactions(bought + documents(examples)), *finances(bought + documents(examples)))
    assert len({each.key for each in found}) == len(found)
    for each in found:
        assert (each.value is None) == (each.missing is not None)
        assert each.name in NUMBERS
        assert each.value is None or Fraction(each.value) is not None


@given(purchases())
def test_orders_and_intervals_are_those_of_statistics(bought: list[Statement]) -> None:
    found = transactions(bought)
    days = sorted({each.day for each in bought if each.day <= DAY})
    intervals = [(later - earlier).days for earlier, later in pairwise(days)]
    assert named(found, "orders").value == sum(each.day <= DAY for each in bought)
    assert named(found, "recency_days").value == ((DAY - max(days)).days if days else None)
    mean, variation = named(found, "interval_mean_days").value, named(found, "interval_variation").value
    if intervals:
        assert mean is not None
        assert abs(float(mean) - statistics.mean(intervals)) <= 0.0051
    if len(intervals) > 1:
        assert variation is not None
        assert abs(float(variation) - statistics.pstdev(intervals) / statistics.mean(intervals)) <= 0.0001
    assert (mean is None, variation is None) == (len(intervals) < 1, len(intervals) < 2)


@given(purchases())
def test_mean_order_and_trend_by_currency(bought: list[Statement]) -> None:
    found = transactions(bought)
    made = [(each.day, each.data) for each in bought if isinstance(each.data, Order) and each.day <= DAY]
    for currency in {data.currency for _, data in made}:
        own = [(on, data.net) for on, data in made if data.currency == currency]
        assert named(found, "average_order_value", currency).value == round(
            Fraction(sum(net for _, net in own), len(own))
        )
        last = sum(net for on, net in own if (DAY - on).days < 90)
        before = sum(net for on, net in own if 90 <= (DAY - on).days < 180)
        value = named(found, "trend", currency).value
        assert (
            value is None if before == 0 else abs(Fraction(str(value)) - Fraction(last, before)) <= Fraction(1, 20_000)
        )


def test_a_customer_that_never_bought_has_reasons() -> None:
    assert [each.missing for each in transactions([])] == [
        None,
        Missing.NO_PURCHASE,
        Missing.TOO_FEW_PURCHASES,
        Missing.TOO_FEW_PURCHASES,
    ]
    assert {each.missing for each in finances([])} == {Missing.NO_INVOICE}


def test_a_prompt_payer_and_a_late_one() -> None:
    prompt = [receivable(1, -60, {}, ((-40, 1000, -30),)), receivable(2, -10, {20: 500})]
    late = [receivable(3, -100, {-70: 800, 10: 200}, ((-20, 1000, -70),))]
    for examples, expected in ((prompt, [0, 0, 20]), (late, [Fraction(4, 5), 1, 80])):
        found = credit(examples)
        assert [overdue_ratio(found, DAY), late_ratio(found, DAY), days_to_pay(found)] == expected
    indicators = finances(documents(prompt))
    assert named(indicators, "days_sales_outstanding").value == "30.00"  # 500 open of 1,500 in 90 days
    assert (named(indicators, "exposure").value, named(indicators, "credit_cost").value) == (
        500,
        6,
    )  # interest 3 + 1, reserve 2


def test_what_is_due_today_is_not_overdue() -> None:
    paid = credit([receivable(1, -30, {}, ((-1, 100, -1), (-1, 100, -2)))])
    assert late_ratio(paid, DAY) == Fraction(1, 2)
    bill = [receivable(1, -30, {0: 100})]
    assert overdue_ratio(credit(bill), DAY) == 0
    assert overdue_ratio(credit(bill, day(1)), day(1)) == 1


@given(receivables())
def test_ratios_lie_between_none_and_all(examples: list[Receivable]) -> None:
    found = credit(examples)
    assert 0 <= overdue_ratio(found, DAY) <= 1
    late = late_ratio(found, DAY)
    assert late is None or 0 <= late <= 1


@given(receivables(), st.integers(0, 100))
def test_the_reported_ratio_is_that_of_one_currency_where_there_is_one(examples: list[Receivable], ahead: int) -> None:
    owed = [each for each in examples if each.issued_on <= DAY]
    own = [each for each in owed if each.currency == "EUR"]
    alone = Credit(own, billed=0, paid=0, paid_days=0, paid_late=0)
    assert reported_overdue_ratio(own, RATES, DAY, day(ahead)) == overdue_ratio(alone, day(ahead))
    total = sum(each.open * (8 if each.currency == "EUR" else 1) for each in owed)
    assert reported_exposure(owed, RATES, DAY) == total
    foreign = [*owed, receivable(99, -10, {5: 100}, currency="USD")]
    assert reported_exposure(foreign, RATES, DAY) is None
    assert reported_overdue_ratio(foreign, RATES, DAY, DAY) is None


def test_the_depth_of_discounts_counts_purchases_with_a_list_price() -> None:
    bought = [purchase(-3, 900, listed=1000), purchase(-2, 500, number=1), purchase(-1, 700, number=2, listed=1000)]
    assert named(finances(bought), "discount_depth").value == "0.2000"
    unlisted = finances([purchase(-1)])
    assert named(unlisted, "discount_depth").missing is Missing.NO_LIST_PRICE


def test_what_happens_after_the_day_is_not_known() -> None:
    early = date(2000, 1, 1)
    assert named(transactions([purchase(0)], early), "orders").value == 0
