"""The health of relations and cohorts, against plain counting."""

import random
from datetime import date
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from rapport_scoring.domain.fixed_point import decimal_text
from rapport_scoring.domain.health import CustomerSummary, MonthSales, cohorts, health

ON = date(2026, 2, 20)
"""The last of the months is ahead of it."""
MONTHS = [date(2025 + (number + 9) // 12, (number + 9) % 12 + 1, 1) for number in range(6)]


@st.composite
def summaries(draw: st.DrawFn) -> list[CustomerSummary]:
    found = []
    for _ in range(draw(st.integers(0, 8))):
        first, last = sorted(draw(st.lists(st.integers(0, 5), min_size=2, max_size=2)))
        months = tuple(
            MonthSales(MONTHS[number], draw(st.integers(0, 3)), draw(st.integers(0, 999)), draw(st.integers(0, 99)))
            for number in range(first, last + 1)
        )
        unit = draw(st.sampled_from([None, "cn", "cn/east", "cn/east/sh", "de"]))
        found.append(
            CustomerSummary(
                unit, MONTHS[first].replace(day=3), MONTHS[last].replace(day=9), draw(st.booleans()), months
            )
        )
    return found


@given(summaries(), st.integers(0, 1000))
def test_the_order_of_customers_does_not_matter(customers: list[CustomerSummary], seed: int) -> None:
    shuffled = customers.copy()
    random.Random(seed).shuffle(shuffled)
    assert health(shuffled, ON) == health(customers, ON)
    assert cohorts(shuffled, ON) == cohorts(customers, ON)


@given(summaries())
def test_a_unit_counts_itself_and_all_below_it(customers: list[CustomerSummary]) -> None:
    for found in health(customers, ON):
        own = [
            each
            for each in customers
            if each.first_on <= ON and (found.unit is None or f"{each.unit}/".startswith(f"{found.unit}/"))
        ]
        sales = [sales for each in own for sales in each.months if sales.month <= ON]
        orders, revenue = sum(each.orders for each in sales), sum(each.revenue for each in sales)
        assert (found.customers, found.total.orders, found.total.revenue) == (len(own), orders, revenue)
        assert found.total.deal_size == (round(Fraction(revenue, orders)) if orders else None)
        assert sum(month.cost for month in found.months) == found.total.cost
        buyers = sum(any(month.orders for month in each.months if month.month <= ON) for each in own)
        assert found.total.customers == buyers
        for month in found.months:
            assert month.complete is (month.month is not None and month.month < ON.replace(day=1))
            bought = sum(each.month == month.month and each.orders > 0 for each in sales)
            assert month.customers == bought


def test_a_lifetime_counts_those_who_are_not_lost_yet() -> None:
    gone = CustomerSummary(None, date(2026, 1, 1), date(2026, 1, 11), True, ())
    still = CustomerSummary(None, date(2026, 2, 10), date(2026, 2, 11), False, ())
    assert health([gone, still], ON)[0].lifetime_days == "20.0"
    assert health([still], ON)[0].lifetime_days is None
    assert health([], ON)[0].total.deal_size is None


@given(summaries())
def test_cohorts_count_every_customer_once(customers: list[CustomerSummary]) -> None:
    found = cohorts(customers, ON)
    assert sum(cohort.size for cohort in found) == sum(each.first_on <= ON for each in customers)
    for cohort in found:
        members = [each for each in customers if each.first_on.replace(day=1) == cohort.month]
        for entry in cohort.months:
            at = MONTHS[MONTHS.index(cohort.month) + entry.age]
            sales = [sales for each in members for sales in each.months if sales.month == at]
            assert entry.customers == sum(each.orders > 0 for each in sales)
            assert entry.revenue == sum(each.revenue for each in sales)
            share = decimal_text(Fraction(entry.customers, cohort.size))
            assert (entry.complete, entry.retention) == ((True, share) if at < ON.replace(day=1) else (False, None))
        assert cohort.months[-1].age == (ON.year - cohort.month.year) * 12 + ON.month - cohort.month.month


def test_a_month_is_over_at_the_end_of_its_last_day() -> None:
    bought = CustomerSummary(None, date(2026, 2, 3), date(2026, 2, 3), False, (MonthSales(date(2026, 2, 1), 1, 9, 0),))
    for on, over in ((date(2026, 2, 27), False), (date(2026, 2, 28), True)):
        [cohort] = cohorts([bought], on)
        assert [(entry.complete, entry.retention) for entry in cohort.months] == [(over, "1.0000" if over else None)]
        assert health([bought], on)[0].months[0].complete is over
    [cohort] = cohorts([bought], date(2026, 3, 1))
    assert [(entry.age, entry.complete, entry.retention) for entry in cohort.months] == [
        (0, True, "1.0000"),
        (1, False, None),
    ]
