"""A refit: whose parameters a customer gets, and that the fit finds what made the customers."""

from datetime import timedelta

import pytest

from rapport_scoring.domain.forecast import (
    ForecastPolicy,
    Member,
    ModelPolicy,
    PurchaseHistory,
    prior_parameters,
    refit,
)
from rapport_scoring.domain.forecast.fitting import Cohort, fit_purchases
from rapport_scoring.domain.forecast.histories import MONTH
from tests.unit.scoring.forecast.cohorts import BEGIN, each_month, simulated

FORECAST, MODEL = ForecastPolicy(), ModelPolicy()
DAYS = 365
AS_OF = BEGIN + timedelta(DAYS)


def members(group: str | None, histories: list[PurchaseHistory], contribution: float = 0.3) -> list[Member]:
    return [
        Member(group, history, "CNY", history.revenue, round(history.revenue * contribution), len(history), won=1)
        for history in histories
    ]


def made_up(customers: int, seed: int) -> list[PurchaseHistory]:
    return simulated(each_month(0.8, 8.0), r=0.8, alpha=20, customers=customers, days=DAYS, seed=seed)


def test_the_parameters_that_made_the_customers_are_found() -> None:
    cohort = Cohort.of(recency for each in made_up(6000, 1) if (recency := each.recency(AS_OF)))
    fit = fit_purchases(cohort)
    assert fit is not None
    assert fit.converged
    assert fit.model.r / fit.model.alpha == pytest.approx(0.8 / 20 * MONTH, rel=0.1)
    assert fit.model.a / (fit.model.a + fit.model.b) == pytest.approx(0.8 / 8.8, rel=0.15)


def test_a_group_has_its_own_parameters_when_it_is_large_enough() -> None:
    many, few = members("dealers", made_up(400, 2)), members("fleets", made_up(50, 3), 0.6)
    found = refit([*many, *few, *members(None, made_up(20, 4))], AS_OF, FORECAST, MODEL)
    dealers, fleets = found.of("dealers"), found.of("fleets")
    assert (found.company.purchases_from, dealers.purchases_from, fleets.purchases_from) == (
        "company",
        "group",
        "company",
    )
    assert dealers.fit is not None
    assert dealers.fit.customers == 400
    assert fleets.purchases == found.company.purchases != dealers.purchases
    assert (dealers.margin_from, fleets.margin_from) == ("group", "company")
    assert dealers.margin.rate == pytest.approx(0.3, abs=0.001)
    assert fleets.win_rate.mean == pytest.approx((MODEL.wins + 50) / (MODEL.wins + MODEL.losses + 50))
    assert found.of("nobody") == found.company


def test_a_company_without_customers_has_the_priors() -> None:
    found = refit([], AS_OF, FORECAST, MODEL)
    assert found == prior_parameters(FORECAST, MODEL)
    assert found.company.purchases == FORECAST.purchase_prior.model()


def test_a_company_with_a_few_has_their_mean_order_value() -> None:
    found = refit(members(None, made_up(20, 4)), AS_OF, FORECAST, MODEL)
    assert found.company.purchases_from == "prior"
    assert found.company.order_values["CNY"].mean == pytest.approx(1000, rel=0.05)


def test_the_order_of_members_does_not_matter() -> None:
    one = members("dealers", made_up(300, 5))
    assert (
        refit(one, AS_OF, FORECAST, MODEL).company.purchases
        == refit(one[::-1], AS_OF, FORECAST, MODEL).company.purchases
    )
