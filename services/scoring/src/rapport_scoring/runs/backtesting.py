"""A backtest: what the forecast would have said on a day of the past, beside what happened since."""

import asyncio
from dataclasses import asdict
from datetime import date
from typing import Any

import orjson

from rapport_scoring.domain.forecast import PurchaseHistory
from rapport_scoring.domain.forecast.backtest import Backtest, backtest
from rapport_scoring.domain.history import history_of
from rapport_scoring.domain.rules import Rules
from rapport_scoring.runs.base import Progress, everybody
from rapport_shared.database import Database


class BacktestImpossible(Exception):
    """There is nothing to test on; the message says why."""


async def look_back(
    database: Database, rules: Rules, fit_until: date, horizon_days: int, progress: Progress
) -> dict[str, Any]:
    """Fits on what was bought until a day, and compares the forecasts of the days after it with what was bought.

    Raises `BacktestImpossible` where nobody had bought anything until then.
    """
    histories: list[PurchaseHistory] = []
    today = date.fromordinal(fit_until.toordinal() + horizon_days)
    async for page in everybody(database, progress):
        for facts in page:
            made = history_of(facts, rules, today).purchases
            histories += [PurchaseHistory((one.day, one.revenue) for one in made)] if made else []
            await asyncio.sleep(0)
    try:
        found = await asyncio.to_thread(backtest, histories, fit_until, horizon_days)
    except ValueError as error:
        raise BacktestImpossible(str(error)) from error
    return told(found)


def told(found: Backtest) -> dict[str, Any]:
    """A backtest as plain JSON values; what cannot be figured is null, never NaN."""
    plain: dict[str, Any] = orjson.loads(orjson.dumps(asdict(found)))
    for name, accuracy in found.forecasts.items():
        plain["forecasts"][name]["calibration_error"] = accuracy.calibration_error
    return plain
