"""The backtest: a forecast from a day of the past beside what happened, and beside simpler forecasts."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from rapport_scoring.domain.forecast.bg_nbd import BgNbd
from rapport_scoring.domain.forecast.fitting import PurchaseFit
from rapport_scoring.domain.forecast.histories import PurchaseHistory
from rapport_scoring.domain.forecast.rolling import correction, purchase_fits, rolling_checks
from rapport_scoring.domain.forecast.samples import Sample

Floats = NDArray[np.float64]
WEEK = 7.0


@dataclass(frozen=True, slots=True)
class Bin:
    """A tenth of the customers by the probability to buy again within the time: means, and the share that did."""

    customers: int
    alive: float
    active: float
    bought: float


@dataclass(frozen=True, slots=True)
class Accuracy:
    """How good a forecast of each customer's purchases was.

    `mean_absolute_error` and `root_mean_square_error` are in purchases a customer; `total_error` is forecast over
    actual less 1, of all together; `top_decile_share` is what the tenth of customers with the highest forecast had of
    all purchases. `correlation` is None where either has no variance, `total_error` and the share where nothing was
    bought. `series` is the forecast of each period.
    """

    correlation: float | None
    mean_absolute_error: float
    root_mean_square_error: float
    total_error: float | None
    top_decile_share: float | None
    fit: PurchaseFit | None = None
    correction: float = 1.0
    calibration: tuple[Bin, ...] = ()
    series: tuple[float, ...] = ()

    @property
    def calibration_error(self) -> float | None:
        """The mean distance of `active` from `bought`, by customers; None without bins."""
        if not self.calibration:
            return None
        customers = sum(each.customers for each in self.calibration)
        return sum(each.customers * abs(each.active - each.bought) for each in self.calibration) / customers


@dataclass(frozen=True, slots=True)
class Backtest:
    """Forecasts by name: `bg_nbd`, `mbg_nbd`, `chosen` (the likelier of them), `corrected` (that, times what the past
    says) and `naive` (x · horizon / T). Those that cannot be made are missing. `series` is what was bought in each
    period of `unit` days."""

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
    sample = Sample.of(histories, fit_until, horizon_days, unit)
    if not len(sample.bought):
        raise ValueError(f"nobody had bought anything until {fit_until}")
    fits = purchase_fits(sample.cohort)
    forecasts: dict[str, Accuracy] = {fit.model.name: _judged(sample, fit, 1.0, bins) for fit in fits}
    if fits:
        best = fits[0]
        modified = best.model.first_may_be_last
        factor = correction(rolling_checks(histories, fit_until, horizon_days, unit, modified))
        forecasts["chosen"] = forecasts[best.model.name]
        forecasts["corrected"] = _judged(sample, best, factor, bins)
    forecasts["naive"] = accuracy(sample.bought, _naive(sample))
    bought = int(sample.bought.sum())
    series = _bought_by_period(histories, sample)
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


def _judged(sample: Sample, fit: PurchaseFit, factor: float, bins: int) -> Accuracy:
    plain = accuracy(sample.bought, factor * sample.expected(fit.model))
    return replace(
        plain,
        fit=fit,
        correction=factor,
        calibration=_calibration(sample, fit.model, bins),
        series=_forecast_by_period(sample, fit.model, factor),
    )


def _naive(sample: Sample) -> Floats:
    """x · horizon / T: every customer goes on as it did. Of those who came on the last day it knows nothing: 0."""
    rates: Floats = np.divide(sample.repeats, sample.age, out=np.zeros_like(sample.age), where=sample.age > 0)
    return rates * sample.ahead


def _calibration(sample: Sample, model: BgNbd, bins: int) -> tuple[Bin, ...]:
    alive, active, did = sample.alive(model), sample.active(model), sample.bought > 0
    parts = np.array_split(np.argsort(active, kind="stable"), bins)
    return tuple(
        Bin(len(part), float(alive[part].mean()), float(active[part].mean()), float(did[part].mean()))
        for part in parts
        if len(part)
    )


def _forecast_by_period(sample: Sample, model: BgNbd, factor: float) -> tuple[float, ...]:
    ends = np.minimum(np.arange(1, math.ceil(sample.ahead) + 1), sample.ahead)
    cumulated = [float(sample.expected(model, float(end)).sum()) for end in ends]
    return tuple((factor * np.diff(cumulated, prepend=0.0)).tolist())


def _bought_by_period(histories: Sequence[PurchaseHistory], sample: Sample) -> tuple[int, ...]:
    """A purchase on the n-th day after belongs to the period in which that day ends."""
    counts = [0] * math.ceil(sample.ahead)
    end = sample.until + timedelta(sample.days)
    for history in histories:
        if not len(history) or history.days[0] > sample.until:
            continue
        for day in history.days_after(sample.until, end):
            counts[min(math.ceil((day - sample.until).days / sample.unit), len(counts)) - 1] += 1
    return tuple(counts)
