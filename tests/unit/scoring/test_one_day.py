"""The view, a value as of a day and a ranking say the same of a customer at one instant."""

from datetime import UTC, datetime, time, timedelta

from hypothesis import given
from hypothesis import strategies as st

from rapport_scoring.domain.assessment import Occasion, assess
from rapport_scoring.domain.customer import CustomerFacts
from rapport_scoring.domain.ledger.documents import Statement
from rapport_scoring.domain.memory import Memory
from rapport_scoring.domain.rules import shipped_rules
from rapport_scoring.domain.standing import at_end_of
from rapport_scoring.queries import Known, present_standing
from rapport_scoring.runs.ranking import ranked, summary_of
from rapport_scoring.store import ScoreRow
from rapport_shared.contracts.money import Amount
from tests.unit.scoring.documents import PROFILE, day
from tests.unit.scoring.test_scoring_properties import STATEMENTS

RULES = shipped_rules()


def amount(of: Amount | None) -> int | None:
    return None if of is None else of.amount


@given(STATEMENTS, st.integers(20, 200))
def test_who_is_asked_makes_no_difference(statements: list[Statement], number: int) -> None:
    on = day(number)
    latest = max((one.occurred_at for one in statements), default=datetime(2026, 1, 1, tzinfo=UTC))
    last_day = max((one.day for one in statements), default=latest.date())
    facts = CustomerFacts(PROFILE, (PROFILE,), statements=statements, latest=latest, last_day=last_day)
    noon = datetime.combine(on, time(12), UTC)
    view = assess(facts, RULES, Memory(), Occasion(noon + timedelta(hours=1), noon)).score
    published = ScoreRow(PROFILE, score=view.model_dump_json())
    values, standing = present_standing(Known(ScoreRow(PROFILE), facts, RULES), on)
    again, _ = present_standing(Known(published, facts, RULES), None)
    rank = ranked(facts, RULES, *at_end_of(on, facts, RULES))
    assert view.valued_on == values.on == again.on == on
    assert view.contemporary == values.contemporary == again.contemporary
    assert (view.potential, view.model) == (values.outlook.potential, values.outlook.model)
    assert (view.tier, view.stage, view.total) == (standing.tier_state, standing.stage_state, standing.total)
    assert rank.total == amount(view.total)
    if len(values.contemporary.lifetime) < 2:
        assert rank.potential == amount(values.outlook.potential.value)
    summary = summary_of(facts, RULES, values, standing.stage, on)
    assert (summary is None) == (not values.purchases)
    if summary is not None:
        assert summary.last_on == max(purchase.day for purchase in values.purchases) <= on
