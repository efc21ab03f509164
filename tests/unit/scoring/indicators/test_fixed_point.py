"""Exact decimals and roots, against Python's decimals of many digits."""

from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport_scoring.domain.fixed_point import decimal_text, root_text

MANY = Context(prec=200, rounding=ROUND_HALF_EVEN)


@given(st.decimals(-(10**9), 10**9, places=8), st.integers(1, 8))
def test_a_decimal_is_rounded_half_to_even(number: Decimal, digits: int) -> None:
    text = decimal_text(Fraction(number), digits)
    assert Decimal(text) == number.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_EVEN)
    assert len(text.partition(".")[2]) == digits


@given(st.fractions(0, 10**9, max_denominator=10**6))
def test_a_root_is_that_of_two_hundred_digits(square: Fraction) -> None:
    root = MANY.sqrt(MANY.divide(Decimal(square.numerator), Decimal(square.denominator)))
    assert Decimal(root_text(square)) == root.quantize(Decimal("0.0001"), ROUND_HALF_EVEN)


@pytest.mark.parametrize(("value", "text"), [(Fraction(-1, 100_000), "0.0000"), (Fraction(-3, 2), "-1.5000")])
def test_zero_has_no_sign(value: Fraction, text: str) -> None:
    assert decimal_text(value) == text


def test_a_root_halfway_goes_to_the_even_digit() -> None:
    assert root_text(Fraction(5, 100) ** 2, 1) == "0.0"
    assert root_text(Fraction(15, 100) ** 2, 1) == "0.2"
