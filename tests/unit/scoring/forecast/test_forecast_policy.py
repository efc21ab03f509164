"""Policies refuse what would divide by zero; parameters survive JSON to the last bit."""

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from rapport_scoring.domain.forecast import (
    FittedParameters,
    ForecastPolicy,
    GammaGamma,
    GroupParameters,
    MarginPrior,
    ModelPolicy,
    PdoNbd,
    PeerWallets,
    WinRate,
)
from rapport_scoring.domain.forecast.fitting import PurchaseFit

positive = st.floats(1e-6, 1e6)


@pytest.mark.parametrize(
    "wrong",
    [
        {"horizon_months": 0},
        {"discount_rate": "-1"},
        {"discount_rate": "NaN"},
        {"alarm_probability": 0},
        {"alarm_probability": 1},
        {"purchase_prior": {"a": 0}},
        {"purchase_prior": {"alpha": math.inf}},
        {"value_prior": {"q": 1}},
        {"value_prior": {"means": {"CNY": 0}}},
        {"margin": {"strength": 0}},
        {"margin": {"strength": 200}},
        {"minimum_customers": 20, "minimum_repeaters": 21},
        {"surprise": 1},
    ],
)
def test_a_forecast_policy_that_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ForecastPolicy.model_validate(wrong)


@pytest.mark.parametrize("wrong", [{"minimum_peers": 0}, {"peer_quantile": 1}, {"wins": 0}, {"losses": 0}])
def test_a_model_policy_that_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ModelPolicy.model_validate(wrong)


def test_what_ships() -> None:
    forecast, model = ForecastPolicy(), ModelPolicy()
    assert (forecast.horizon().months, forecast.horizon().discount_rate) == (60, 0.10)
    assert WinRate(model.wins, model.losses).mean == pytest.approx(0.20)
    assert ForecastPolicy.model_validate_json(forecast.model_dump_json()) == forecast


@given(values=st.lists(positive, min_size=8, max_size=8), rate=st.floats(-1, 1))
def test_parameters_survive_json(values: list[float], rate: float) -> None:
    r, alpha, a, b, p, q, gamma, strength = values
    model = PdoNbd(r, alpha, a, b)
    group = GroupParameters(
        purchases=model,
        purchases_from="group",
        order_values={"CNY": GammaGamma(p, 1 + q, gamma)},
        margin=MarginPrior(rate, strength),
        margin_from="company",
        win_rate=WinRate(a, b),
        wallets=PeerWallets(12, 0.5, 1 + a),
        correction=b,
        order_costs={"CNY": gamma},
        fit=PurchaseFit(model, -alpha, 900, 300, True),
    )
    parameters = FittedParameters(group, {"dealers": group})
    assert FittedParameters.from_json(json.loads(json.dumps(parameters.to_json()))) == parameters


def test_parameters_of_another_model_are_none() -> None:
    earlier = {"company": {"purchases": {"r": 1, "alpha": 1, "a": 1, "b": 1, "first_may_be_last": True}}, "groups": {}}
    assert FittedParameters.from_json(earlier) is None


def test_a_policy_that_names_a_purchase_model_stays_valid() -> None:
    assert ForecastPolicy.model_validate({"purchase_model": "mbg_nbd", "horizon_months": 12}).horizon_months == 12


def test_a_group_that_is_not_known_has_the_parameters_of_the_company() -> None:
    group = GroupParameters(PdoNbd(1, 1, 1, 1), "prior", {}, MarginPrior(0.1, 5), "prior", WinRate(2, 8))
    parameters = FittedParameters(group, {})
    assert parameters.of("dealers") is parameters.of(None) is group
