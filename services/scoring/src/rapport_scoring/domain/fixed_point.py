"""Exact numbers as decimals of a fixed length: the same digits on every machine, never a float."""

from fractions import Fraction
from math import isqrt

from rapport_scoring.domain.ledger.lines import divided

RATIO_DIGITS = 4


def decimal_text(value: Fraction, digits: int = RATIO_DIGITS) -> str:
    """`value` with `digits` ≥ 1 digits behind the point, rounded half to even; zero has no sign."""
    scaled = divided(value.numerator * 10**digits, value.denominator)
    whole, rest = divmod(abs(scaled), 10**digits)
    return f"{'-' if scaled < 0 else ''}{whole}.{rest:0{digits}}"


def root_text(value: Fraction, digits: int = RATIO_DIGITS) -> str:
    """The square root of `value` ≥ 0 with `digits` ≥ 1 digits behind the point, rounded half to even from the root."""
    square = value * 100**digits
    root = isqrt(square.numerator // square.denominator)
    half = Fraction((2 * root + 1) ** 2, 4)
    if square > half or (square == half and root % 2):
        root += 1
    return decimal_text(Fraction(root, 10**digits), digits)
