"""A customer's potential is put together from the parameters of its group."""

from datetime import date

import pytest

from rapport_scoring.domain.forecast import (
    Earned,
    ForecastPolicy,
    ModelPolicy,
    PurchaseHistory,
    expected_value,
    potential,
    prior_parameters,
)

POLICY = ForecastPolicy.model_validate({"value_prior": {"means": {"CNY": 50_000}}})
GROUP = prior_parameters(POLICY, ModelPolicy()).company
HISTORY = PurchaseHistory([(date(2026, 1, 1), 90_000), (date(2026, 2, 1), 110_000)])
EARNED = Earned(60_000, 200_000, 2)
AS_OF = date(2026, 3, 1)


def test_a_potential_is_a_product() -> None:
    found = potential(GROUP, HISTORY, "CNY", EARNED, AS_OF, POLICY.horizon())
    assert found.prospect is not None
    assert found.order_value == pytest.approx(expected_value(GROUP.order_values["CNY"], 2, 100_000))
    assert found.contribution_rate == pytest.approx((2 * 0.3 + 5 * 0.15) / 7)
    assert found.order_value is not None
    assert found.contribution_rate is not None
    assert found.order_contribution is not None
    assert found.order_contribution == pytest.approx(found.order_value * found.contribution_rate)
    assert found.value == pytest.approx(found.order_contribution * found.prospect.discounted_orders)


def test_a_currency_without_parameters_has_the_customers_own_mean() -> None:
    assert potential(GROUP, HISTORY, "EUR", EARNED, AS_OF, POLICY.horizon()).order_value == 100_000


def test_who_has_not_bought_has_no_potential_and_a_reason() -> None:
    nothing = potential(GROUP, PurchaseHistory(), "CNY", Earned(0, 0, 0), AS_OF, POLICY.horizon())
    assert (nothing.value, nothing.reason) == (None, "no_purchase")
    free = PurchaseHistory([(date(2026, 1, 1), 0)])
    unpriced = potential(GROUP, free, "EUR", Earned(0, 0, 1), AS_OF, POLICY.horizon())
    assert (unpriced.value, unpriced.reason) == (None, "no_order_value")
