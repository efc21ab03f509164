"""The events that an indicator rests on."""

from datetime import datetime, timedelta
from uuid import UUID

from hypothesis import given

from rapport_scoring.domain.facts import Answer, Attribute
from rapport_scoring.domain.history import History
from rapport_scoring.domain.indicators import Indicator
from rapport_scoring.domain.indicators.evidence import Ground, with_evidence
from rapport_scoring.domain.ledger.documents import Statement
from rapport_scoring.domain.settlement.receivables import Receivable
from tests.unit.scoring.documents import PROFILE
from tests.unit.scoring.indicators.examples import (
    DAY,
    NOON,
    case,
    contact,
    purchase,
    purchases,
    receivable,
    receivables,
    wallet,
)
from tests.unit.scoring.states import SHIPPED, billed, history


def explained(known: History) -> dict[str, Indicator]:
    """The indicators of a history with their events, by key."""
    at = datetime.combine(DAY, datetime.max.time(), NOON.tzinfo)
    ground = Ground(known.facts, known.purchases, known.ledger.receivables, DAY, at, SHIPPED.contacts)
    return {one.key: one for one in with_evidence(known.standing.indicators, ground)}


@given(purchases(), receivables())
def test_at_most_twenty_events_are_shown_and_all_are_counted(bought: list[Statement], owed: list[Receivable]) -> None:
    told = [*bought, *(document for example in owed for document in billed(example))]
    found = explained(history(told))
    for one in found.values():
        assert len(one.events) == min(one.event_count, 20) == len(set(one.events))
        assert set(one.events) <= {statement.event_id for statement in told if statement.day <= DAY}


def test_indicators_name_their_newest_events_first() -> None:
    bought = [purchase(-offset) for offset in range(30)]
    orders = explained(history(bought))["orders"]
    assert orders.events == tuple(each.event_id for each in bought[:20])
    assert (orders.value, orders.event_count) == (30, 30)


def test_what_an_indicator_rests_on() -> None:
    bought = [purchase(-3, 900, listed=1000, categories=("ink",)), purchase(-200), purchase(-400, currency="EUR")]
    paid, still = receivable(1, -60, {}, ((-40, 1000, -30),), "JPY"), receivable(2, -10, {20: 500}, currency="JPY")
    bills = [billed(one)[0] for one in (paid, still)]
    talks = [contact(1), contact(3, "email"), contact(500, "phone", 1)]
    cases = [case(1, "complaint", responded=40, closed=30), case(2, "complaint", opened=10), case(3, opened=5)]
    answers = [Answer(UUID(int=number), PROFILE, NOON - timedelta(hours=number), "nps", 9) for number in range(1, 30)]
    stated = Attribute("mining", NOON, UUID(int=77))
    found = explained(
        history(
            [*bought, *billed(paid), *billed(still)],
            contacts=talks,
            cases=cases,
            answers=answers,
            wallets=[wallet("ink", 100, number=88), wallet("paper", 100, number=89, until=-1)],
            attributes={"industry": stated},
        )
    )
    events = {name: one.events for name, one in found.items()}
    assert events["average_order_value:EUR"] == (bought[2].event_id,)
    assert events["trend:CNY"] == (bought[0].event_id,)
    assert events["discount_depth:CNY"] == (bought[0].event_id,)
    assert events["late_ratio:JPY"] == (bills[1].event_id, bills[0].event_id)
    assert events["days_to_pay:JPY"] == (bills[0].event_id,)
    assert events["exposure:JPY"] == (bills[1].event_id,)
    assert events["decayed_contacts:phone"] == (talks[0].event_id, talks[2].event_id)
    assert events["complaints"] == (cases[1].event_id, cases[0].event_id)
    assert events["complaints_open"] == (cases[1].event_id,)
    assert events["response_seconds"] == (cases[0].event_id,)
    assert events["satisfaction:nps"] == tuple(one.event_id for one in answers[:20])
    assert events["tenure_days"] == (bought[2].event_id,)
    assert (events["industry"], events["region"]) == ((UUID(int=77),), ())
    assert events["share_of_wallet"] == (bought[0].event_id, UUID(int=88))
    assert events["single_sourced"] == (UUID(int=88),)
