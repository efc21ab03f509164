"""Dated currency rates of the `value` policy, and sums in the reporting currency."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from rapport_shared.contracts.money import Amount
from rapport_shared.contracts.touchpoints.currency import MINOR_DIGITS
from rapport_shared.contracts.touchpoints.fields import Currency, Day

Quote = Annotated[Decimal, Field(gt=0, lt=10**12, decimal_places=12, allow_inf_nan=False)]


class Rate(BaseModel):
    """From a day on, one (major) unit of `currency` is worth `rate` (major) units of the reporting currency."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    from_day: Day
    currency: Currency
    rate: Quote


@dataclass(frozen=True, slots=True)
class Converted:
    """A sum in minor units of the reporting currency; None if some currencies have no rate, which `gaps` lists."""

    amount: int | None
    currency: str
    gaps: tuple[str, ...] = ()


class Rates(BaseModel):
    """Rates of currencies to the reporting currency, by day. A rate is valid until the next rate of its currency."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    reporting: Currency = "CNY"
    rates: Annotated[tuple[Rate, ...], Field(max_length=100_000)] = ()

    @model_validator(mode="after")
    def _one_rate_a_day(self) -> Self:
        if len({(rate.currency, rate.from_day) for rate in self.rates}) < len(self.rates):
            raise ValueError("a currency has two rates from one day on")
        if any(rate.currency == self.reporting for rate in self.rates):
            raise ValueError("the reporting currency is worth itself and takes no rate")
        return self

    def factor(self, currency: str, day: date) -> Fraction | None:
        """Minor units of the reporting currency for one minor unit of `currency`: the newest rate dated ≤ `day`."""
        if currency == self.reporting:
            return Fraction(1)
        days, factors = self._quotes.get(currency, ([], []))
        found = bisect_right(days, day)
        return factors[found - 1] if found else None

    def exact(self, amounts: Iterable[Amount], day: date) -> Fraction | tuple[str, ...]:
        """The unrounded sum in minor units of the reporting currency, or the currencies that have no rate."""
        sums: dict[str, int] = {}
        for each in amounts:
            sums[each.currency] = sums.get(each.currency, 0) + each.amount
        return self.exact_sum(sums, day)

    def exact_sum(self, sums: Mapping[str, int], day: date) -> Fraction | tuple[str, ...]:
        """The same sum as `exact`, from one amount for each currency."""
        if sums.keys() <= {self.reporting}:
            return Fraction(sums.get(self.reporting, 0))
        factors = {currency: self.factor(currency, day) for currency, amount in sums.items() if amount}
        gaps = tuple(sorted(currency for currency, factor in factors.items() if factor is None))
        return gaps or sum((sums[name] * factor for name, factor in factors.items() if factor), Fraction(0))

    def convert(self, amounts: Iterable[Amount], day: date) -> Converted:
        """The sum of `amounts` in the reporting currency at the rates of `day`, rounded once, half to even.

        A currency whose amounts cancel out needs no rate.
        """
        total = self.exact(amounts, day)
        if isinstance(total, Fraction):
            return Converted(round(total), self.reporting)
        return Converted(None, self.reporting, total)

    def worth(self, amount: int, currency: str, day: date) -> int | None:
        """An amount in the reporting currency, None where a rate is missing; rounded like `convert`."""
        if currency == self.reporting or not amount:
            return amount
        factor = self.factor(currency, day)
        return None if factor is None else round(amount * factor)

    @cached_property
    def _quotes(self) -> dict[str, tuple[list[date], list[Fraction]]]:
        quotes: dict[str, tuple[list[date], list[Fraction]]] = {}
        for rate in sorted(self.rates, key=lambda each: (each.currency, each.from_day)):
            digits = MINOR_DIGITS[self.reporting] - MINOR_DIGITS[rate.currency]
            days, factors = quotes.setdefault(rate.currency, ([], []))
            days.append(rate.from_day)
            factors.append(Fraction(rate.rate) * Fraction(10) ** digits)
        return quotes
