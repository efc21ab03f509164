"""A customer that is assessed from sums is what the lists of all its facts say."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from rapport_scoring.domain.commerce import commerce_figures
from rapport_scoring.domain.customer import CustomerFacts
from rapport_scoring.domain.dynamics.stages import StagePolicy
from rapport_scoring.domain.dynamics.tiers import TierPolicy
from rapport_scoring.domain.history import history_of
from rapport_scoring.domain.outlook import Rhythm, own_sales
from rapport_scoring.domain.rules import shipped_rules
from rapport_scoring.domain.state import state_of
from rapport_scoring.domain.value_policy import ValuePolicy
from tests.unit.scoring import oracle
from tests.unit.scoring.documents import day
from tests.unit.scoring.indicators.examples import RATES
from tests.unit.scoring.lives import customers

SMALL = StagePolicy(lapse_days=60, loyal_orders=2, loyal_days=20, lifelong_orders=3, lifelong_days=100)
RULES = replace(shipped_rules(), value=ValuePolicy(rates=RATES), tier=TierPolicy(stages=SMALL))
DAYS = st.integers(-520, 120)


@given(customers(), DAYS)
def test_indicators_are_those_of_lists(facts: CustomerFacts, number: int) -> None:
    found = history_of(facts, RULES, day(number)).standing.indicators
    assert len({one.key for one in found}) == len(found)
    values = {one.key: one.missing if one.value is None else one.value for one in found}
    expected = oracle.indicators(oracle.past_of(facts, RULES, day(number)))
    for key in [key for key in values if key.startswith("decayed_contacts")]:  # powers of two, here by floating point
        assert abs(float(str(values.pop(key))) - float(str(expected.pop(key)))) < 0.00011
    assert values == expected


@given(customers(), DAYS)
def test_values_are_the_sums_of_ledger_lines(facts: CustomerFacts, number: int) -> None:
    past, found = oracle.past_of(facts, RULES, day(number)), history_of(facts, RULES, day(number))
    assert found.values.contemporary == oracle.contemporary(past)
    assert found.values.lines == len(past.book.lines)
    assert found.ledger.lines == past.book.lines


@given(customers(), DAYS)
def test_commerce_figures_are_those_of_documents(facts: CustomerFacts, number: int) -> None:
    state = state_of(facts, RULES.value, day(number))
    assert commerce_figures(state.figures) == oracle.commerce(oracle.past_of(facts, RULES, day(number)))


@given(customers(), DAYS)
def test_stages_are_those_of_purchase_days(facts: CustomerFacts, number: int) -> None:
    on, standing = day(number), history_of(facts, RULES, day(number)).standing
    days = oracle.past_of(facts, RULES, on).bought_on
    assert standing.stage is oracle.stage(days, on, SMALL)
    assert standing.stage_since == oracle.stage_since(days, on, SMALL)
    assert standing.stage_until == oracle.next_stage_day(days, on, SMALL)


@given(customers(), DAYS)
def test_purchases_are_those_of_lists(facts: CustomerFacts, number: int) -> None:
    past, state = oracle.past_of(facts, RULES, day(number)), state_of(facts, RULES.value, day(number))
    made, figures = past.purchases, state.figures
    assert list(state.streams.purchases) == made
    assert [day_.toordinal() for day_ in past.bought_on] == list(figures.bought_on.ordinals)
    assert figures.purchase_count == len(made)
    for currency in figures.currencies:
        assert figures.earned(currency) == sum(one.revenue for one in made if one.currency == currency)
    last = [one for one in made if one.day == past.bought_on[-1]]
    assert figures.last_purchase_is_history == (bool(last) and all(one.event_id in facts.history for one in last))


@given(customers(), DAYS)
def test_what_a_forecast_rests_on_is_what_lists_say(facts: CustomerFacts, number: int) -> None:
    on, past = day(number), oracle.past_of(facts, RULES, day(number))
    found = history_of(facts, RULES, on)
    figures, potential = found.state.figures, found.values.outlook.potential
    known = Rhythm(figures.bought_on, 0).recency(on)
    assert (None if known is None else (known.repeats, known.last, known.age)) == oracle.recency(past)
    for currency in figures.currencies if len(figures.currencies) == 1 else ["CNY"] * bool(past.purchases):
        assert own_sales(RATES, figures, currency, on) == oracle.own_sales(past, currency)
    if potential.value is not None and known is not None:
        assert (potential.repeats, potential.age) == (known.repeats, f"{known.age:.6f}")


@given(customers(), st.integers(-520, 20), st.integers(1, 60))
def test_what_is_dated_later_makes_no_difference(facts: CustomerFacts, number: int, ahead: int) -> None:
    """A state of a day is that of the facts that were dated by then."""
    on = day(number)
    since = on + timedelta(days=ahead)
    early = replace(
        facts,
        contacts=[one for one in facts.contacts if one.day <= since],
        asset_events=[one for one in facts.asset_events if one.day <= since],
    )
    one, other = (state_of(known, RULES.value, on) for known in (facts, early))
    assert one.figures == other.figures
