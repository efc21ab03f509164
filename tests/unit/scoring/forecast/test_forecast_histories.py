"""Histories are sets of days: the order of arrival does not matter."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport_scoring.domain.forecast import MONTH, PurchaseHistory, Recency

BEGIN = date(2026, 1, 1)
purchases = st.lists(
    st.tuples(st.integers(0, 60).map(lambda days: BEGIN + timedelta(days)), st.integers(1, 10_000)), max_size=30
)


def counted(bought: list[tuple[date, int]], as_of: date) -> Recency | None:
    """(x, t_x, T) in days, the slow way."""
    days = sorted({day for day, _ in bought if day <= as_of})
    return Recency(len(days) - 1, (days[-1] - days[0]).days, (as_of - days[0]).days) if days else None


@given(bought=purchases, data=st.data())
def test_the_order_of_arrival_does_not_matter(bought: list[tuple[date, int]], data: st.DataObject) -> None:
    as_of = BEGIN + timedelta(data.draw(st.integers(-1, 90)))
    history = PurchaseHistory(bought)
    late = PurchaseHistory(data.draw(st.permutations(bought)))
    assert (late.revenue, late.mean, late.days) == (history.revenue, history.mean, history.days)
    assert late.recency(as_of, unit=1.0) == counted(bought, as_of)


@given(bought=purchases, after=st.integers(0, 60), until=st.integers(0, 60))
def test_what_was_bought_between_two_days(bought: list[tuple[date, int]], after: int, until: int) -> None:
    begin, end = BEGIN + timedelta(after), BEGIN + timedelta(until)
    days = sorted({day for day, _ in bought if begin < day <= end})
    history = PurchaseHistory(bought)
    assert list(history.days_after(begin, end)) == days
    assert history.bought_after(begin, max(begin, end)) == len(days)


def test_means_are_of_days() -> None:
    history = PurchaseHistory([(date(2026, 1, 1), 100), (date(2026, 1, 3), 50), (date(2026, 1, 3), 70)])
    assert (len(history), history.mean) == (2, 110.0)
    assert PurchaseHistory().mean is None


def test_a_moment_lies_within_its_day() -> None:
    history = PurchaseHistory([(date(2026, 1, 1), 100)])
    noon = history.recency(datetime(2026, 1, 2, 12, tzinfo=UTC))
    assert noon == Recency(0, 0.0, 1.5 / MONTH)
    assert history.recency(datetime(2025, 12, 31, 23, tzinfo=UTC)) is None


def test_a_recency_that_cannot_be_is_refused() -> None:
    for repeats, last, age in ((-1, 0.0, 1.0), (1, 2.0, 1.0), (0, 0.0, float("nan")), (0, 0.0, float("inf"))):
        with pytest.raises(ValueError, match="a recency needs"):
            Recency(repeats, last, age)
