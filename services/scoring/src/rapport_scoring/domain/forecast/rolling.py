"""Forecasting the past: how far the level of the forecast was off, learnt from what is known already.

From several days of the past, its origins, the model is fitted on what was before and compared with what came after,
up to now. Nothing after now is looked at, so a backtest that learns this way stays honest.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from rapport_scoring.domain.forecast.fitting import fit_purchases
from rapport_scoring.domain.forecast.histories import PurchaseHistory
from rapport_scoring.domain.forecast.samples import Sample

ORIGINS = (0.45, 0.55, 0.65, 0.75)
"""Where in the past the origins are: far enough for a fit, and with enough after them for a check."""
COMMON = 0.15
"""By how much the level of such a forecast is commonly off, as a standard deviation, before anything is checked."""
SEASON = 0.4
"""A level that was off by so much was off for a season or a break, which will not go on: it is not corrected at all."""
_FEWEST_PURCHASES = 20


@dataclass(frozen=True, slots=True)
class Check:
    """What was bought after an origin over what was forecast from it, and the standard error of that by chance."""

    origin: date
    days: int
    ratio: float
    error: float


def rolling_checks(histories: Sequence[PurchaseHistory], until: date, days: int) -> tuple[Check, ...]:
    """The checks at each origin where the model can be fitted, of at most `days` after it and none after `until`."""
    begin = min((history.days[0] for history in histories if len(history)), default=until)
    origins = [begin + timedelta(int((until - begin).days * share)) for share in ORIGINS]
    samples = [Sample.of(histories, origin, min(days, (until - origin).days)) for origin in origins]
    checks = (_check(sample) for sample in samples if len(sample.bought) and sample.days)
    return tuple(check for check in checks if check is not None)


def correction(checks: Iterable[Check]) -> float:
    """By what to multiply expected orders: 1 + what the level of the model was off by, as far as that is to be trusted.

    With f the mean ratio of the checks and o = f − 1, the correction is o · τ² / (τ² + e²) · (1 − (o/c)²)², nothing for
    |o| ≥ c = `SEASON`. The first factor is the posterior mean of a level that is Normal(0, τ²) before the checks, with
    τ = `COMMON` (Gelman and others, Bayesian Data Analysis, 2013, section 2.5); e² is the mean squared error by chance
    (checks overlap, so it does not shrink with their number) and the variance between checks over their number. The
    second is Tukey's biweight. 1 for fewer than two checks.
    """
    found = list(checks)
    if len(found) < 2:
        return 1.0
    ratios = np.array([check.ratio for check in found])
    off = float(ratios.mean()) - 1
    error = float(np.mean([check.error**2 for check in found]) + ratios.var(ddof=1) / len(found))
    if abs(off) >= SEASON:
        return 1.0
    return 1 + off * COMMON**2 / (COMMON**2 + error) * (1 - (off / SEASON) ** 2) ** 2


def _check(sample: Sample) -> Check | None:
    fit = fit_purchases(sample.cohort, starts=1)
    if fit is None:
        return None
    expected = sample.expected(fit.model)
    total = float(expected.sum())
    if total < _FEWEST_PURCHASES:
        return None
    error = math.sqrt(float(np.square(sample.bought - expected).sum())) / total
    return Check(sample.until, sample.days, float(sample.bought.sum()) / total, error)
