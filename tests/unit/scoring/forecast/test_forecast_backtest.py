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
    simulated,
)


@cache
def of_cdnow() -> Backtest:
    return backtest(cdnow(), CDNOW_FIT_UNTIL, CDNOW_HORIZON_DAYS)


def test_the_published_parameters() -> None:
    """Fader, Hardie & Lee (2005), table 2."""
    fit = of_cdnow().forecasts["bg_nbd"].fit
    assert fit is not None
    assert fit.converged
    assert (fit.model.r, fit.model.alpha, fit.model.a, fit.model.b) == pytest.approx(
        (0.243, 4.414, 0.793, 2.426), rel=0.01
    )
    assert fit.log_likelihood >= -9582.5
    assert of_cdnow().customers == 2357


def test_the_published_forecast() -> None:
    found = of_cdnow().forecasts["bg_nbd"]
    assert found.correlation == pytest.approx(0.626, abs=0.001)
    assert found.mean_absolute_error == pytest.approx(0.786, abs=0.001)
    assert found.total_error == pytest.approx(-0.122, abs=0.001)
    assert found.top_decile_share == pytest.approx(0.470, abs=0.001)


def test_what_the_past_taught_makes_it_better() -> None:
    plain, ours = of_cdnow().forecasts["bg_nbd"], of_cdnow().forecasts["corrected"]
    assert ours.mean_absolute_error < plain.mean_absolute_error
    assert ours.root_mean_square_error < plain.root_mean_square_error
    assert ours.correlation is not None
    assert plain.correlation is not None
    assert ours.correlation > plain.correlation
    assert ours.total_error is not None
    assert abs(ours.total_error) <= 0.10
    assert ours.top_decile_share is not None
    assert ours.top_decile_share >= 0.470
    assert of_cdnow().forecasts["chosen"].mean_absolute_error <= 0.766


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
    less = [each.up_to(CDNOW_FIT_UNTIL) for each in cdnow()[::5]]
    first = backtest(more, CDNOW_FIT_UNTIL, CDNOW_HORIZON_DAYS).forecasts["corrected"]
    second = backtest(less, CDNOW_FIT_UNTIL, CDNOW_HORIZON_DAYS).forecasts["corrected"]
    assert (first.fit, first.correction, first.series) == (second.fit, second.correction, second.series)
    assert second.total_error is None


@pytest.mark.parametrize(
    ("loss", "r", "alpha", "model", "most_calibration_error"),
    [
        (after_purchases(0.8, 2.4), 0.5, 31.0, "bg_nbd", 0.06),
        (at_any_time(0.6, 80.0), 0.55, 40.0, "mbg_nbd", 0.06),
        (at_any_time(1.0, 200.0), 1.5, 60.0, "mbg_nbd", 0.06),
    ],
)
def test_other_cohorts(loss: Loss, r: float, alpha: float, model: str, most_calibration_error: float) -> None:
    cohort = simulated(loss, r=r, alpha=alpha, customers=1500, days=600, seed=11)
    found = backtest(cohort, BEGIN + timedelta(300), 300).forecasts
    ours, fit = found["corrected"], found["chosen"].fit
    assert fit is not None
    assert fit.model.name == model
    assert ours.total_error is not None
    assert abs(ours.total_error) < 0.15
    assert ours.mean_absolute_error <= found["bg_nbd"].mean_absolute_error * 1.02 < found["naive"].mean_absolute_error
    assert ours.calibration_error is not None
    assert ours.calibration_error < most_calibration_error


def test_a_season_is_not_taken_for_the_level() -> None:
    cohort = simulated(after_purchases(0.8, 2.4), r=0.5, alpha=31, customers=1500, days=540, seed=5, season=0.5)
    found = backtest(cohort, BEGIN + timedelta(270), 270).forecasts
    assert found["corrected"].correction == pytest.approx(1, abs=0.05)


def test_a_correction_is_worth_what_its_checks_are() -> None:
    sure = [Check(BEGIN, 30, 1.1, 0.001), Check(BEGIN, 60, 1.1, 0.001)]
    assert 1.08 < correction(sure) < 1.1
    assert correction([Check(BEGIN, 30, 1.1, 0.2), Check(BEGIN, 60, 1.1, 0.2)]) == 1
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
