"""Rates: the newest of a day, exact, and a gap where there is none."""

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from rapport_scoring.domain.rates import Converted, Rate, Rates
from rapport_shared.contracts.money import Amount
from tests.unit.scoring.indicators.examples import DAY, RATES


def euro(amount: int) -> Amount:
    return Amount(amount=amount, currency="EUR")


def test_the_newest_rate_dated_by_the_day_counts() -> None:
    assert RATES.convert([euro(100)], date(2026, 1, 31)).amount == 750
    assert RATES.convert([euro(100)], date(2026, 2, 1)).amount == 800


def test_minor_units_differ_in_size() -> None:
    assert RATES.convert([Amount(amount=100, currency="JPY")], DAY).amount == 500


def test_a_sum_is_rounded_once_half_to_even() -> None:
    rates = Rates.model_validate({"rates": [{"from_day": "2020-01-01", "currency": "EUR", "rate": "0.5"}]})
    assert rates.convert([euro(1)], DAY).amount == 0
    assert rates.convert([euro(1), euro(2)], DAY).amount == 2
    assert rates.convert([euro(-3)], DAY).amount == -2


def test_a_missing_rate_is_a_gap_and_no_zero() -> None:
    amounts = [euro(100), Amount(amount=1, currency="USD"), Amount(amount=1, currency="GBP")]
    assert RATES.convert(amounts, DAY) == Converted(None, "CNY", ("GBP", "USD"))
    assert RATES.convert([euro(100)], date(2019, 12, 31)).gaps == ("EUR",)
    assert RATES.convert([Amount(amount=0, currency="USD")], DAY) == Converted(0, "CNY")


@given(
    st.lists(st.tuples(st.integers(0, 60), st.decimals("0.0001", 100, places=4)), unique_by=lambda each: each[0]),
    st.integers(0, 60),
    st.integers(-(10**9), 10**9),
    st.randoms(use_true_random=False),
)
def test_any_order_of_rates_gives_what_a_scan_gives(
    quotes: list[tuple[int, Decimal]], offset: int, amount: int, shuffler: Any
) -> None:
    shuffler.shuffle(quotes)
    rates = Rates(
        rates=tuple(Rate(from_day=DAY + timedelta(days=at), currency="EUR", rate=rate) for at, rate in quotes)
    )
    standing = [(at, rate) for at, rate in quotes if at <= offset]
    expected = round(Fraction(max(standing)[1]) * amount) if standing else None
    if amount:
        assert rates.convert([euro(amount)], DAY + timedelta(days=offset)).amount == expected


@pytest.mark.parametrize(
    "rates",
    [
        [{"from_day": "2026-01-01", "currency": "EUR", "rate": "0"}],
        [{"from_day": "2026-01-01", "currency": "EUR", "rate": "NaN"}],
        [{"from_day": "2026-01-01", "currency": "CNY", "rate": "1"}],
        [{"from_day": "2026-01-01", "currency": "XXX", "rate": "1"}],
        [{"from_day": "2026-01-01", "currency": "EUR", "rate": "7"}] * 2,
    ],
)
def test_what_is_no_table_of_rates_is_refused(rates: list[dict[str, str]]) -> None:
    with pytest.raises(ValidationError):
        Rates.model_validate({"rates": rates})
