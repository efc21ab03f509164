"""Cohorts to forecast: one that bought from a web shop, and some made up by models of known parameters."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from functools import cache
from pathlib import Path

import numpy as np

from deploy.local.infrastructure import CHECKOUT
from rapport_scoring.domain.forecast import MONTH, PurchaseHistory

BEGIN = date(2020, 1, 1)
CDNOW = CHECKOUT / "deploy" / "local" / "demo" / "cdnow_sample.txt.gz"
CDNOW_FIT_UNTIL, CDNOW_HORIZON_DAYS = date(1997, 9, 30), 273


@cache
def cdnow(file: Path = CDNOW) -> tuple[PurchaseHistory, ...]:
    """The CDNOW sample, or the whole cohort in a file of the same columns at the end; revenue in cents."""
    histories: dict[str, PurchaseHistory] = {}
    with gzip.open(file, "rt") if file.suffix == ".gz" else file.open() as lines:
        for line in lines:
            customer, day, _, dollars = line.split()[-4:]
            on = date(int(day[:4]), int(day[4:6]), int(day[6:]))
            histories.setdefault(customer, PurchaseHistory()).add(on, round(float(dollars) * 100))
    return tuple(histories.values())


Loss = Callable[[np.random.Generator], tuple[float, float]]
"""A customer's p of being lost after a repeat purchase, and the age at which it is lost anyway."""


def after_purchases(a: float, b: float) -> Loss:
    """p ~ Beta(a, b), as BG/NBD has it."""
    return lambda chance: (float(chance.beta(a, b)), np.inf)


def at_any_time(s: float, beta: float) -> Loss:
    """An age that is exponential with μ ~ Gamma(s, β), β in days, as Pareto/NBD has it."""
    return lambda chance: (0.0, float(chance.exponential(1 / max(chance.gamma(s, 1 / beta), 1e-12))))


def each_month(a: float, b: float) -> Loss:
    """At the end of each of its months with the probability θ ~ Beta(a, b), as PDO/NBD has it."""
    return lambda chance: (0.0, float(chance.geometric(max(chance.beta(a, b), 1e-12))) * MONTH)


def simulated(
    loss: Loss, *, r: float, alpha: float, customers: int, days: int, seed: int, season: float = 0.0, intake: int = 90
) -> list[PurchaseHistory]:
    """Customers who come within the first `intake` days, and buy until `days` at λ ~ Gamma(r, α) a day.

    `season` is the amplitude by which demand swings around the year; it peaks at the end of November.
    """
    chance = np.random.default_rng(seed)
    histories = []
    for _ in range(customers):
        first = float(chance.uniform(0, intake))
        times = [first, *_repeats(chance, loss, float(chance.gamma(r, 1 / alpha)), first, days, season)]
        histories.append(PurchaseHistory((BEGIN + timedelta(int(at)), 1000) for at in times))
    return histories


def _repeats(
    chance: np.random.Generator, loss: Loss, rate: float, first: float, days: int, season: float
) -> Iterator[float]:
    """By thinning: of a process as fast as the peak of the season some purchases do not happen."""
    p, ends = loss(chance)
    at = first
    while rate > 1e-9:
        at += float(chance.exponential(1 / (rate * (1 + season))))
        if at >= min(days, first + ends):
            return
        if chance.random() * (1 + season) < 1 + season * np.cos(2 * np.pi * (at - 330) / 365.25):
            yield at
            if chance.random() < p:
                return
