"""The backtest: the published figures, and that ours are no worse, here and where the model is another."""

from datetime import timedelta
from functools import cache

import pytest

from rapport_scoring.domain.forecast import Backtest, PurchaseHistory, backtest
from rapport_scoring.domain.forecast.rolling import Check, correction
from tests.unit.scoring.forecast.cohorts import (
    BEGIN,
    CDNOW_FIT_UNTIL,
    CDNOW_HORIZON_DAYS,
    Loss,
    after_purchases,
    at_any_time,
    cdnow,
    each_month,
    simulated,
)


@cache
def of_cdnow() -> Backtest:
    return backtest(cdnow(), CDNOW_FIT_UNTIL, CDNOW_HORIZON_DAYS)


def test_a_web_shop_is_forecast_at_least_as_well_as_is_published() -> None:
    """Of BG/NBD (Fader, Hardie & Lee 2005): MAE 0.786, correlation 0.626, total −12.2 %, top decile 0.470."""
    ours = of_cdnow().forecasts["corrected"]
    assert of_cdnow().customers == 2357
    assert ours.fit is not None
    assert ours.fit.converged
    assert ours.total_error is not None
    assert abs(ours.total_error) <= 0.10
    assert ours.mean_absolute_error <= 0.786
    assert ours.correlation is not None
    assert ours.correlation >= 0.626
    assert ours.top_decile_share is not None
    assert ours.top_decile_share >= 0.465
    assert ours.coverage is not None
    assert 0.75 <= ours.coverage <= 0.85


@pytest.mark.parametrize("part", range(4))
def test_a_part_of_the_shop_is_forecast_as_well(part: int) -> None:
    """Each of four fifths of the customers: no figure rests on a few of them."""
    some = [history for number, history in enumerate(cdnow()) if number % 5 != part]
    ours = backtest(some, CDNOW_FIT_UNTIL, CDNOW_HORIZON_DAYS).forecasts["corrected"]
    assert ours.total_error is not None
    assert abs(ours.total_error) <= 0.15
    assert ours.coverage is not None
    assert 0.75 <= ours.coverage <= 0.86


def test_what_the_past_taught_makes_the_level_better() -> None:
    fitted, ours = of_cdnow().forecasts["fitted"], of_cdnow().forecasts["corrected"]
    assert fitted.total_error is not None
    assert ours.total_error is not None
    assert abs(ours.total_error) < abs(fitted.total_error)


def test_the_series_add_up() -> None:
    found = of_cdnow()
    assert sum(found.series) == found.purchases
    assert len(found.series) == len(found.forecasts["corrected"].series) == 39
    total = found.forecasts["corrected"].total_error
    assert total is not None
    assert sum(found.forecasts["corrected"].series) == pytest.approx(found.purchases * (1 + total))


def test_what_comes_after_does_not_change_the_forecast() -> None:
    """Only what it is judged by may come from after the day of the fit."""
    end = CDNOW_FIT_UNTIL + timedelta(CDNOW_HORIZON_DAYS)
    more = [PurchaseHistory([(day, 1) for day in (*each.days, end)]) for each in cdnow()[::5]]
    less = [PurchaseHistory([(day, 1) for day in each.days if day <= CDNOW_FIT_UNTIL]) for each in cdnow()[::5]]
    first = backtest(more, CDNOW_FIT_UNTIL, CDNOW_HORIZON_DAYS).forecasts["corrected"]
    second = backtest(less, CDNOW_FIT_UNTIL, CDNOW_HORIZON_DAYS).forecasts["corrected"]
    assert (first.fit, first.correction, first.series) == (second.fit, second.correction, second.series)
    assert second.total_error is None


@pytest.mark.parametrize(
    ("loss", "r", "alpha"),
    [
        (each_month(0.8, 8.0), 0.8, 31.0),
        (after_purchases(0.8, 2.4), 0.5, 31.0),
        (at_any_time(0.6, 80.0), 0.55, 40.0),
        (at_any_time(1.0, 200.0), 1.5, 60.0),
    ],
)
def test_other_cohorts(loss: Loss, r: float, alpha: float) -> None:
    """Whatever makes customers leave; 1,500 of them in 300 days tell how fast they will only roughly."""
    cohort = simulated(loss, r=r, alpha=alpha, customers=1500, days=600, seed=11)
    found = backtest(cohort, BEGIN + timedelta(300), 300).forecasts
    ours = found["corrected"]
    assert ours.total_error is not None
    assert abs(ours.total_error) < 0.2
    assert ours.mean_absolute_error < found["naive"].mean_absolute_error
    assert ours.coverage is not None
    assert ours.coverage >= 0.75
    assert ours.calibration_error is not None
    assert ours.calibration_error < 0.25 * sum(each.expected for each in ours.calibration) / len(ours.calibration)


def test_a_season_is_not_taken_for_the_level() -> None:
    cohort = simulated(after_purchases(0.8, 2.4), r=0.5, alpha=31, customers=1500, days=540, seed=5, season=0.5)
    found = backtest(cohort, BEGIN + timedelta(270), 270).forecasts
    assert found["corrected"].correction == pytest.approx(1, abs=0.05)


def test_a_correction_is_worth_what_its_checks_are() -> None:
    sure = [Check(BEGIN, 30, 1.1, 0.001), Check(BEGIN, 60, 1.1, 0.001)]
    assert 1.08 < correction(sure) < 1.1
    assert 1.01 < correction([Check(BEGIN, 30, 1.1, 0.2), Check(BEGIN, 60, 1.1, 0.2)]) < 1.05
    assert 0.9 < correction([Check(BEGIN, 30, 0.9, 0.001), Check(BEGIN, 60, 0.9, 0.001)]) < 0.92
    assert correction([Check(BEGIN, 30, 1.5, 0.001), Check(BEGIN, 60, 1.5, 0.001)]) == 1
    assert correction(sure[:1]) == 1


def test_a_backtest_of_nobody_is_refused() -> None:
    with pytest.raises(ValueError, match="nobody had bought"):
        backtest([], CDNOW_FIT_UNTIL, 30)
    with pytest.raises(ValueError, match="a day of horizon"):
        backtest(cdnow(), CDNOW_FIT_UNTIL, 0)


def test_customers_who_never_came_back_are_forecast_naively() -> None:
    once = [PurchaseHistory([(BEGIN, 1)]), PurchaseHistory([(BEGIN, 1)])]
    found = backtest(once, BEGIN + timedelta(30), 30)
    assert list(found.forecasts) == ["naive"]
    assert found.forecasts["naive"].total_error is None
