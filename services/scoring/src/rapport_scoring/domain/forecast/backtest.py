"""The backtest: a forecast from a day of the past beside what happened, and beside simpler forecasts."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from rapport_scoring.domain.forecast.fitting import PurchaseFit, fit_purchases
from rapport_scoring.domain.forecast.histories import MONTH, PurchaseHistory
from rapport_scoring.domain.forecast.pdo_nbd import PdoNbd
from rapport_scoring.domain.forecast.rolling import correction, rolling_checks
from rapport_scoring.domain.forecast.samples import Sample

Floats = NDArray[np.float64]
WEEK = 7.0


@dataclass(frozen=True, slots=True)
class Bin:
    """A tenth of the customers by what they were expected to buy within the time: means of the forecast and of what
    they bought."""

    customers: int
    alive: float
    expected: float
    bought: float


@dataclass(frozen=True, slots=True)
class Accuracy:
    """How good a forecast of each customer's purchases was.

    `mean_absolute_error` and `root_mean_square_error` are in purchases a customer; `total_error` is forecast over
    actual less 1, of all together; `top_decile_share` is what the tenth of customers with the highest forecast had of
    all purchases; `coverage` is the share of customers whose purchases were within their `order_interval`, which is
    to hold 80 % of them. `correlation` is None where either has no variance, `total_error` and the share where nothing
    was bought. `series` is the forecast of each period.
    """

    correlation: float | None
    mean_absolute_error: float
    root_mean_square_error: float
    total_error: float | None
    top_decile_share: float | None
    coverage: float | None = None
    fit: PurchaseFit | None = None
    correction: float = 1.0
    calibration: tuple[Bin, ...] = ()
    series: tuple[float, ...] = ()

    @property
    def calibration_error(self) -> float | None:
        """The mean distance of `expected` from `bought`, by customers; None without bins."""
        if not self.calibration:
            return None
        customers = sum(each.customers for each in self.calibration)
        return sum(each.customers * abs(each.expected - each.bought) for each in self.calibration) / customers


@dataclass(frozen=True, slots=True)
class Backtest:
    """Forecasts by name: `fitted` (the model), `corrected` (that, times what the past says) and `naive`
    (x · horizon / T). Those that cannot be made are missing. `series` is what was bought in each period of `unit`
    days."""

    fit_until: date
    horizon_days: int
    unit: float
    customers: int
    purchases: int
    series: tuple[int, ...]
    forecasts: Mapping[str, Accuracy]


def backtest(
    histories: Sequence[PurchaseHistory], fit_until: date, horizon_days: int, unit: float = WEEK, bins: int = 10
) -> Backtest:
    """Fits on what was bought until the day `fit_until` (inclusive), and compares with the `horizon_days` after it.

    Customers are those with a purchase until that day. Raises ValueError where there are none, or no days.
    """
    if horizon_days < 1 or not (math.isfinite(unit) and unit > 0) or bins < 1:
        raise ValueError("a backtest needs a day of horizon, a unit of time greater than 0, and a bin")
    sample = Sample.of(histories, fit_until, horizon_days)
    if not len(sample.bought):
        raise ValueError(f"nobody had bought anything until {fit_until}")
    forecasts: dict[str, Accuracy] = {}
    fit = fit_purchases(sample.cohort)
    if fit is not None:
        factor = correction(rolling_checks(histories, fit_until, horizon_days))
        forecasts["fitted"] = _judged(sample, fit, 1.0, unit, bins)
        forecasts["corrected"] = _judged(sample, fit, factor, unit, bins)
    forecasts["naive"] = accuracy(sample.bought, _naive(sample))
    bought = int(sample.bought.sum())
    series = _bought_by_period(histories, sample, unit)
    return Backtest(fit_until, horizon_days, unit, len(sample.bought), bought, series, forecasts)


def accuracy(bought: Floats, expected: Floats) -> Accuracy:
    """The figures of a forecast without model."""
    total, off = float(bought.sum()), expected - bought
    varied = bought.std() > 0 and expected.std() > 0
    top = np.argsort(-expected, kind="stable")[: math.ceil(len(bought) / 10)]
    return Accuracy(
        correlation=float(np.corrcoef(bought, expected)[0, 1]) if varied else None,
        mean_absolute_error=float(np.abs(off).mean()),
        root_mean_square_error=math.sqrt(float(np.square(off).mean())),
        total_error=float(expected.sum()) / total - 1 if total else None,
        top_decile_share=float(bought[top].sum()) / total if total else None,
    )


def _judged(sample: Sample, fit: PurchaseFit, factor: float, unit: float, bins: int) -> Accuracy:
    expected = factor * sample.expected(fit.model)
    lowest, highest = sample.intervals(fit.model, factor).T
    return replace(
        accuracy(sample.bought, expected),
        coverage=float(np.mean((lowest <= sample.bought) & (sample.bought <= highest))),
        fit=fit,
        correction=factor,
        calibration=_calibration(sample, sample.alive(fit.model), expected, bins),
        series=_forecast_by_period(sample, fit.model, factor, unit),
    )


def _naive(sample: Sample) -> Floats:
    """x · horizon / T: every customer goes on as it did. Of those who came on the last day it knows nothing: 0."""
    rates: Floats = np.divide(sample.repeats, sample.age, out=np.zeros_like(sample.age), where=sample.age > 0)
    return rates * sample.ahead


def _calibration(sample: Sample, alive: Floats, expected: Floats, bins: int) -> tuple[Bin, ...]:
    parts = np.array_split(np.argsort(expected, kind="stable"), bins)
    return tuple(
        Bin(len(part), *(float(each[part].mean()) for each in (alive, expected, sample.bought)))
        for part in parts
        if len(part)
    )


def _periods(sample: Sample, unit: float) -> int:
    return math.ceil(sample.days / unit)


def _forecast_by_period(sample: Sample, model: PdoNbd, factor: float, unit: float) -> tuple[float, ...]:
    ends = np.minimum(unit / MONTH * np.arange(1, _periods(sample, unit) + 1), sample.ahead)
    cumulated = [float(sample.expected(model, float(end)).sum()) for end in ends]
    return tuple((factor * np.diff(cumulated, prepend=0.0)).tolist())


def _bought_by_period(histories: Sequence[PurchaseHistory], sample: Sample, unit: float) -> tuple[int, ...]:
    """A purchase on the n-th day after belongs to the period in which that day ends."""
    counts = [0] * _periods(sample, unit)
    end = sample.until + timedelta(sample.days)
    for history in histories:
        if not len(history) or history.days[0] > sample.until:
            continue
        for day in history.days_after(sample.until, end):
            counts[min(math.ceil((day - sample.until).days / unit), len(counts)) - 1] += 1
    return tuple(counts)
