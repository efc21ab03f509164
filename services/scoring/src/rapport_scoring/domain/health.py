"""The health of customer relations: how long customers stay, what and how often they buy, what a deal costs."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from fractions import Fraction

from rapport_scoring.domain.fixed_point import decimal_text


@dataclass(frozen=True, slots=True)
class MonthSales:
    """What a customer did in a calendar month (`month` is its first day): orders, net revenue, and all costs ≥ 0."""

    month: date
    orders: int
    revenue: int
    cost: int


@dataclass(frozen=True, slots=True)
class CustomerSummary:
    """A customer in short; amounts in minor units of the reporting currency.

    `unit` is its path, None for none. `first_on`, `last_on` are its first and last purchase days, `lapsed` whether it
    is lost on the day of the report. `months` are those with orders or costs, each once.
    """

    unit: str | None
    first_on: date
    last_on: date
    lapsed: bool
    months: tuple[MonthSales, ...]


@dataclass(frozen=True, slots=True)
class Flow:
    """A month, or all of them (`month` None). Means are decimals, or amounts rounded half to even; None of nothing.

    `complete` is False for a month that is not over on the day of the report: its figures will grow. `customers` bought in it. `frequency` is orders ÷ these customers, `deal_size` revenue ÷ orders, `cost_per_deal`
    cost ÷ orders (costs of customers who did not buy are included).
    """

    month: date | None
    customers: int
    orders: int
    revenue: int
    cost: int
    deal_size: int | None
    frequency: str | None
    cost_per_deal: int | None
    complete: bool = True


@dataclass(frozen=True, slots=True)
class Health:
    """A unit with all below it; `unit` None is the firm.

    `lifetime_days` is the mean lifetime: days lived by all customers ÷ customers lost, where one that is lost lived
    from its first to its last purchase and one that is not, until the day of the report. (The maximum-likelihood mean
    of an exponential lifetime under censoring: Epstein and Sobel, Life Testing, 1953.) None while nobody is lost.
    """

    unit: str | None
    customers: int
    lost: int
    lifetime_days: str | None
    total: Flow
    months: tuple[Flow, ...]


@dataclass(frozen=True, slots=True)
class CohortMonth:
    """A cohort in the month `age` months after its first: how many of it bought, their share of it, their revenue.

    A month that is not over on the day of the report is not `complete`: who bought so far is counted, and `retention`
    is None, for the others may still buy.
    """

    age: int
    complete: bool
    customers: int
    retention: str | None
    revenue: int


@dataclass(frozen=True, slots=True)
class Cohort:
    """The customers whose first purchase was in a month, and every month from then until that of the report."""

    month: date
    size: int
    months: tuple[CohortMonth, ...]


def health(summaries: Iterable[CustomerSummary], on: date) -> tuple[Health, ...]:
    """The figures of the firm and of each unit, by path, on a day; a customer counts in its unit and all above it."""
    by_unit: defaultdict[str, list[CustomerSummary]] = defaultdict(list)
    everybody = [summary for summary in summaries if summary.first_on <= on]
    for summary in everybody:
        for path in _upwards(summary.unit):
            by_unit[path].append(summary)
    return (_health(None, everybody, on), *(_health(path, found, on) for path, found in sorted(by_unit.items())))


def cohorts(summaries: Iterable[CustomerSummary], on: date) -> tuple[Cohort, ...]:
    """The cohorts by month until the day `on`, the earliest first."""
    by_month: defaultdict[date, list[CustomerSummary]] = defaultdict(list)
    for summary in summaries:
        if summary.first_on <= on:
            by_month[summary.first_on.replace(day=1)].append(summary)
    return tuple(_cohort(month, found, on) for month, found in sorted(by_month.items()))


def _health(unit: str | None, summaries: Sequence[CustomerSummary], on: date) -> Health:
    lost = sum(summary.lapsed for summary in summaries)
    lived = sum(((each.last_on if each.lapsed else on) - each.first_on).days for each in summaries)
    by_month: defaultdict[date, list[MonthSales]] = defaultdict(list)
    for summary in summaries:
        for sales in summary.months:
            if sales.month <= on:
                by_month[sales.month].append(sales)
    buyers = sum(any(sales.orders and sales.month <= on for sales in each.months) for each in summaries)
    total = _flow(None, buyers, [sales for found in by_month.values() for sales in found])
    months = tuple(
        replace(_flow(month, _buyers(found), found), complete=_over(month, on))
        for month, found in sorted(by_month.items())
    )
    return Health(unit, len(summaries), lost, decimal_text(Fraction(lived, lost), 1) if lost else None, total, months)


def _flow(month: date | None, customers: int, sales: Sequence[MonthSales]) -> Flow:
    orders, revenue, cost = (
        sum(each.orders for each in sales),
        sum(each.revenue for each in sales),
        sum(each.cost for each in sales),
    )
    return Flow(
        month=month,
        customers=customers,
        orders=orders,
        revenue=revenue,
        cost=cost,
        deal_size=round(Fraction(revenue, orders)) if orders else None,
        frequency=decimal_text(Fraction(orders, customers)) if customers else None,
        cost_per_deal=round(Fraction(cost, orders)) if orders else None,
    )


def _cohort(month: date, members: Sequence[CustomerSummary], on: date) -> Cohort:
    by_age: defaultdict[int, list[MonthSales]] = defaultdict(list)
    for summary in members:
        for sales in summary.months:
            by_age[_age(month, sales.month)].append(sales)
    newest, size = _age(month, on), len(members)
    ages = [(age, age < newest or _over(on, on)) for age in range(newest + 1)]
    return Cohort(month, size, tuple(_cohort_month(age, complete, by_age[age], size) for age, complete in ages))


def _cohort_month(age: int, complete: bool, sales: Sequence[MonthSales], size: int) -> CohortMonth:
    customers = _buyers(sales)
    retention = decimal_text(Fraction(customers, size)) if complete else None
    return CohortMonth(age, complete, customers, retention, sum(each.revenue for each in sales))


def _over(month: date, on: date) -> bool:
    """Whether the month of a day is over at the end of the day `on`."""
    tomorrow = on + timedelta(days=1)
    return (month.year, month.month) < (tomorrow.year, tomorrow.month)


def _buyers(sales: Iterable[MonthSales]) -> int:
    return sum(each.orders > 0 for each in sales)


def _age(month: date, day: date) -> int:
    return (day.year - month.year) * 12 + day.month - month.month


def _upwards(unit: str | None) -> Iterator[str]:
    """The path of a unit and of every unit above it."""
    parts = unit.split("/") if unit else []
    for end in range(1, len(parts) + 1):
        yield "/".join(parts[:end])
