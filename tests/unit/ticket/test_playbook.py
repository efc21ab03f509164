"""What scoring tells begins and ends reasons; a playbook tried on the past opens what it would have opened."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from rapport_shared.contracts import catalogue, scoring
from rapport_shared.contracts.catalogue import EventType
from rapport_shared.contracts.codec import Event
from rapport_shared.contracts.envelope import Envelope
from rapport_shared.contracts.ids import RAPPORT
from rapport_shared.contracts.ticket import OWN_WORK
from rapport_ticket.domain.playbook import KEPT_DAYS, READ, SHIPPED, PlaybookPolicy, told
from rapport_ticket.domain.rehearsal import Occasion, Rehearsal

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
DAY = timedelta(days=1)


def _id(number: int) -> UUID:
    return uuid5(RAPPORT, str(number))


def _event(event_type: EventType, data: Any) -> Event[Any]:
    envelope = Envelope(_id(9), event_type.source, event_type.wire, str(_id(1)), NOW - DAY, NOW, 7)
    return Event(envelope, event_type, data)


def _trigger(model: type[scoring.TriggerFired]) -> scoring.TriggerFired:
    state = scoring.TriggerState(name="growth", since=NOW, effective=False, inputs={"model": "1200000"})
    return model(customer_id=_id(1), trigger=state, policy_version=1)


def _alarm(model: type[scoring.AlarmChanged]) -> scoring.AlarmChanged:
    state = scoring.AlarmState(alarm_id=_id(2), kind="silence", episode=date(2026, 1, 1), due_at=NOW, state="raised")
    return model(customer_id=_id(1), alarm=state)


def _moved(model: type[scoring.SegmentMoved]) -> scoring.SegmentMoved:
    fields = {"segment": "big", "policy_version": 1, "condition": "/when", "reading": "window", "effective": True}
    return model.model_validate({"customer_id": _id(1), **fields})


STAGE = scoring.StageChanged(customer_id=_id(1), before="loyal", after="lapsed", since=None, effective=True)


@pytest.mark.parametrize(
    ("event_type", "data", "said"),
    [
        (catalogue.TRIGGER_FIRED, _trigger(scoring.TriggerFired), [("trigger:growth", True, False)]),
        (catalogue.TRIGGER_CLEARED, _trigger(scoring.TriggerCleared), [("trigger:growth", False, True)]),
        (catalogue.ALARM_RAISED, _alarm(scoring.AlarmRaised), [("alarm:silence", True, True)]),
        (catalogue.ALARM_WITHDRAWN, _alarm(scoring.AlarmWithdrawn), [("alarm:silence", False, True)]),
        (catalogue.SEGMENT_ENTERED, _moved(scoring.SegmentEntered), [("segment:big", True, True)]),
        (catalogue.SEGMENT_LEFT, _moved(scoring.SegmentLeft), [("segment:big", False, True)]),
        (catalogue.STAGE_CHANGED, STAGE, [("stage:loyal", False, True), ("stage:lapsed", True, True)]),
    ],
)
def test_what_is_told_begins_and_ends_reasons(
    event_type: EventType, data: Any, said: list[tuple[str, bool, bool]]
) -> None:
    found = told(_event(event_type, data))
    assert [(one.reason, one.begins, one.effective) for one in found] == said
    assert {(one.event_id, one.customer_id, one.sequence, one.recorded_at) for one in found} == {
        (_id(9), _id(1), 7, NOW)
    }


def test_everything_that_scoring_notices_is_read_but_scores_and_expired_alarms() -> None:
    scores = {one.wire for one in catalogue.EVENT_TYPES if one.service == "scoring" and one.aggregate == "score"}
    assert scores - READ.keys() == {catalogue.SCORE_UPDATED.wire, catalogue.ALARM_EXPIRED.wire}
    assert READ.keys() <= scores


def test_the_shipped_playbook_answers_each_trigger_once() -> None:
    assert sorted(play.reason for play in SHIPPED.values()) == sorted(f"trigger:{name}" for name in scoring.Trigger)
    assert {play.kind for play in SHIPPED.values()} == OWN_WORK


def _document(**fields: Any) -> dict[str, Any]:
    play = {"reason": "trigger:growth", "kind": "task", "subject": "Call"} | fields
    return {"plays": {"call": {name: value for name, value in play.items() if value is not None}}}


@pytest.mark.parametrize(
    ("document", "place"),
    [
        (_document(reason="trigger:profit"), ("plays", "call", "reason")),
        (_document(reason="alarm:fire"), ("plays", "call", "reason")),
        (_document(reason="stage:old"), ("plays", "call", "reason")),
        (_document(reason="segment:Big Ones"), ("plays", "call", "reason")),
        (_document(reason="growth"), ("plays", "call", "reason")),
        (_document(reason=None), ("plays", "call", "reason")),
        (_document(kind="complaint"), ("plays", "call", "kind")),
        (_document(subject=" "), ("plays", "call", "subject")),
        (_document(priority="whatever"), ("plays", "call", "priority")),
        (_document(cool_down_days=0), ("plays", "call", "cool_down_days")),
        (_document(cool_down_days=KEPT_DAYS + 1), ("plays", "call", "cool_down_days")),
        ({"plays": {"Call!": _document()["plays"]["call"]}}, ("plays", "Call!", "[key]")),
        ({"plays": {name: _document()["plays"]["call"] for name in ("one", "two")}}, ()),
        ({"effect_horizon_hours": 0}, ("effect_horizon_hours",)),
        ({"games": {}}, ("games",)),
    ],
)
def test_a_wrong_playbook_is_refused_at_its_place(document: dict[str, Any], place: tuple[str, ...]) -> None:
    with pytest.raises(ValidationError) as refused:
        PlaybookPolicy.model_validate(document)
    assert [error["loc"] for error in refused.value.errors()] == [place]


def test_a_segment_may_come_after_the_play_that_answers_it() -> None:
    policy = PlaybookPolicy.model_validate(_document(reason="segment:not-there-yet"))
    assert [name for name, _ in policy.answering("segment:not-there-yet")] == ["call"]


def test_a_playbook_without_plays_opens_nothing() -> None:
    rehearsal = Rehearsal(PlaybookPolicy(plays={}))
    rehearsal.take(Occasion(_id(1), "trigger:growth", NOW, None))
    outcome = rehearsal.outcome()
    assert (outcome["tickets"], outcome["busiest_day"]) == (0, None)
    assert outcome["unanswered"] == {"trigger:growth": 1}


_SPANS = st.lists(st.tuples(st.integers(0, 40), st.none() | st.integers(0, 15)), max_size=12)


@given(first=_SPANS, second=_SPANS, cool_down=st.integers(1, 20))
def test_a_rehearsal_opens_what_was_neither_open_nor_resting(
    first: list[tuple[int, int | None]], second: list[tuple[int, int | None]], cool_down: int
) -> None:
    rehearsal = Rehearsal(PlaybookPolicy.model_validate(_document(cool_down_days=cool_down)))
    expected, all_days = {}, []
    for number, spans in enumerate((first, second)):
        opened: list[tuple[int, int]] = []
        for day, length in sorted(spans, key=lambda span: span[0]):
            end = 10**6 if length is None else day + length
            rehearsal.take(
                Occasion(_id(number), "trigger:growth", NOW + day * DAY, None if length is None else NOW + end * DAY)
            )
            is_open = any(since <= day < until for since, until in opened)
            if not is_open and all(day - since >= cool_down for since, _ in opened):
                opened.append((day, end))
        expected[_id(number)] = opened
        all_days += [day for day, _ in opened]
    outcome = rehearsal.outcome()
    assert outcome["tickets"] == outcome["plays"]["call"]["tickets"] == len(all_days)
    assert outcome["customers"] == sum(bool(opened) for opened in expected.values())
    assert outcome["plays"]["call"]["reason_gone"] == sum(end < 10**6 for one in expected.values() for _, end in one)
    most = max((all_days.count(day) for day in all_days), default=None)
    assert (outcome["busiest_day"] or {}).get("tickets") == most
