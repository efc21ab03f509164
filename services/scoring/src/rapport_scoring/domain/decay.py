"""Contacts that count less the longer they are ago, as sums that do not depend on the day of looking.

A contact of day d weighs 2^((d − E) ÷ h): it doubles with every half-life h. The sum of the weights, divided by the
weight of a contact of today, is the number of contacts of which each counts half after h days, a quarter after 2 h.
"""

from datetime import date
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Final

_EPOCH: Final = date(2000, 1, 1)
_BITS: Final = 64
_EXACT: Final = Context(prec=40, rounding=ROUND_HALF_EVEN)


@lru_cache(maxsize=16_384)
def contact_weight(day: date, half_life_days: int) -> int:
    """2^((day − E) ÷ half-life) in units of 2⁻⁶⁴, rounded half to even.

    Whole half-lives are exact, the rest is decimal `exp` of 40 digits, whose rounding is specified (IBM's General
    Decimal Arithmetic): the same integer on every machine.
    """
    doublings, rest = divmod((day - _EPOCH).days, half_life_days)
    exponent = _EXACT.divide(_EXACT.multiply(_EXACT.ln(Decimal(2)), Decimal(rest)), Decimal(half_life_days))
    scaled = Fraction(_EXACT.exp(exponent)) if rest else Fraction(1)
    shift = _BITS + doublings
    return round(scaled * (1 << shift)) if shift >= 0 else round(scaled / (1 << -shift))


def decayed(weights: int, on: date, half_life_days: int) -> Fraction:
    """The number of contacts with this sum of weights, each counted as of the day `on`."""
    today = contact_weight(on, half_life_days)
    return Fraction(weights, today) if today else Fraction(0)
