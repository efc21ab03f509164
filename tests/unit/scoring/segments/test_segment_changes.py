"""What moves a customer into a segment and out of it, and what is told of that."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from rapport_scoring.domain.segments import (
    WINDOW,
    AnswerGiven,
    Cause,
    Change,
    ContactMade,
    CustomerReadings,
    PurchaseMade,
    SegmentError,
    begin,
    compare,
    compile_segments,
    evaluate,
    next_change,
    reevaluate,
)
from tests.unit.scoring.segments.customers import NOON, policy

NOBODY = CustomerReadings()
GOLD = {"reading": "tier", "is": "gold"}
CALLS = {"count": "contacts", "where": {"channel": "phone"}, "within": "30 minutes", "at_least": 3}


def minutes(number: int) -> timedelta:
    return timedelta(minutes=number)


def call(at: datetime) -> ContactMade:
    return ContactMade(at, "phone", "call.ended", "inbound")


def change(when: dict[str, Any], old: CustomerReadings, new: CustomerReadings, later: timedelta = minutes(0)) -> Change:
    index = compile_segments({"it": policy(when)})
    return reevaluate(index, begin(index, old, NOON), old, new, NOON + later)


def test_a_reading_moves_a_customer_and_is_the_cause() -> None:
    done = change(
        {"any": [{"reading": "value:total", "at_least": 9}, GOLD]}, NOBODY, CustomerReadings({"tier": "gold"})
    )
    assert done.entered == {"it"}
    assert not done.left
    assert done.causes == {"it": (Cause("/when/any/1", "tier", None, "gold"),)}


def test_a_flip_that_does_not_decide_is_no_cause() -> None:
    old = CustomerReadings({"tier": "gold", "value:total": 1})
    new = CustomerReadings({"tier": "tin", "value:total": 9})
    either = {"any": [{"reading": "value:total", "at_least": 9}, GOLD]}
    assert change(either, old, new).causes == {}
    both = {"all": [{"not": {"reading": "value:total", "at_least": 9}}, {"reading": "tier", "in": ["gold", "tin"]}]}
    assert change(both, old, new).causes == {"it": (Cause("/when/all/0/not", "value:total", "1", "9"),)}


def test_what_is_personal_is_not_told() -> None:
    east = {"reading": "attribute:region", "is": "east"}
    done = change(east, NOBODY, CustomerReadings({"attribute:region": "east"}))
    assert done.causes == {"it": (Cause("/when", "attribute:region", None, None),)}


def test_the_third_call_in_half_an_hour_moves_a_customer_and_time_moves_it_back() -> None:
    index = compile_segments({"it": policy(CALLS)})
    two = CustomerReadings(contacts=[call(NOON - minutes(29)), call(NOON - minutes(5))])
    three = replace(two, contacts=[*two.contacts, call(NOON)])
    entered = reevaluate(index, begin(index, two, NOON), two, three, NOON)
    assert entered.causes == {"it": (Cause("/when", "contacts:phone", "2", "3"),)}
    assert entered.after.due == next_change(index, three, NOON) == NOON + minutes(1)
    left = reevaluate(index, entered.after, three, three, NOON + minutes(1))
    assert left.left == {"it"}
    assert left.causes == {"it": (Cause("/when", WINDOW, "3", "2"),)}
    assert left.after.due is next_change(index, three, NOON + minutes(1)) is None


def test_silence_begins_when_the_last_contact_leaves_the_window() -> None:
    silent = {"absent": "contacts", "for": "60 days", "among": "ever"}
    index = compile_segments({"it": policy(silent)})
    assert next_change(index, NOBODY, NOON) is None
    called = CustomerReadings(contacts=[call(NOON)])
    due = next_change(index, called, NOON)
    assert due == NOON + timedelta(days=60)
    assert evaluate(index, called, due) == {"it"}
    assert evaluate(index, called, due - timedelta(microseconds=1)) == frozenset()


@pytest.mark.parametrize(("among", "newcomer", "old_hand"), [("everybody", True, True), ("as_long", False, True)])
def test_whom_silence_applies_to(among: str, newcomer: bool, old_hand: bool) -> None:
    index = compile_segments({"it": policy({"absent": "contacts", "for": "60 days", "among": among})})
    for days, expected in ((59, newcomer), (60, old_hand)):
        customer = CustomerReadings(since={"customer": NOON - timedelta(days=days)})
        assert bool(evaluate(index, customer, NOON)) is expected


def test_what_lies_ahead_does_not_count_before_its_time() -> None:
    index = compile_segments({"it": policy({"count": "purchases", "at_least": 1})})
    ordered = CustomerReadings(purchases=[PurchaseMade(NOON + minutes(5), 100)])
    assert evaluate(index, ordered, NOON) == frozenset()
    assert next_change(index, ordered, NOON) == NOON + minutes(5)
    assert evaluate(index, ordered, NOON + minutes(5)) == {"it"}


@pytest.mark.parametrize(
    "asked", [{"at_least": 1}, {"at_most": 1}, {"more_than": 0}, {"less_than": 9}, {"between": [0, 9]}, {"is": 1}]
)
@pytest.mark.parametrize("value", [None, float("nan"), "five", True])
def test_of_the_unknown_nothing_holds_and_its_contrary_does(asked: dict[str, Any], value: Any) -> None:
    leaf = {"reading": "value:model", **asked}
    index = compile_segments({"is": policy(leaf), "is not": policy({"not": leaf})})
    assert evaluate(index, CustomerReadings({"value:model": value}), NOON) == {"is not"}


def test_a_sum_with_an_unknown_amount_and_the_least_of_nothing_are_unknown() -> None:
    revenue, score = {"sum": "purchases.revenue", "at_least": 0}, {"min": "answers.score", "at_most": 6}
    index = compile_segments({"revenue": policy(revenue), "score": policy(score)})
    assert evaluate(index, NOBODY, NOON) == {"revenue"}
    unknown = CustomerReadings(
        purchases=[PurchaseMade(NOON, 5), PurchaseMade(NOON, None)], answers=[AnswerGiven(NOON, "nps", 3)]
    )
    assert evaluate(index, unknown, NOON) == {"score"}


def test_a_unit_is_under_itself_and_those_above_it() -> None:
    index = compile_segments({"it": policy({"reading": "attribute:unit", "under": "cn/east"})})
    units = ["cn", "cn/east", "cn/east/shanghai", "cn/eastern", "cn/west/east"]
    found = [unit for unit in units if evaluate(index, CustomerReadings({"attribute:unit": unit}), NOON)]
    assert found == ["cn/east", "cn/east/shanghai"]


def test_a_segment_may_ask_how_long_the_customer_is_in_another() -> None:
    lasting = {"age": "segment:caller", "at_least": "7 days"}
    index = compile_segments({"caller": policy(CALLS), "regular": policy(lasting)})
    customer = CustomerReadings(since={"segment:caller": NOON})
    assert next_change(index, customer, NOON) == NOON + timedelta(days=7)
    done = reevaluate(index, begin(index, customer, NOON), customer, customer, NOON + timedelta(days=7))
    assert done.causes == {"regular": (Cause("/when", WINDOW, "0 weeks", "1 week"),)}


@pytest.mark.parametrize(
    ("segments", "message"),
    [
        ({"a": "b"}, "segment a, /when: There is no segment b"),
        ({"a": "a"}, "segment a, /when: It depends on its own age"),
        ({"a": "b", "b": "c", "c": "a"}, "segment a, /when: It depends on its own age"),
    ],
)
def test_segments_do_not_go_round_in_circles(segments: dict[str, str], message: str) -> None:
    asked = {name: {"age": f"segment:{other}", "at_least": "1 day"} for name, other in segments.items()}
    with pytest.raises(SegmentError, match=message):
        compile_segments({name: policy(when) for name, when in asked.items()})


def test_equal_conditions_are_one() -> None:
    segments = {
        f"s{number}": policy({"all": [GOLD, CALLS, {"not": GOLD | {"is": f"t{number}"}}]}) for number in range(9)
    }
    index = compile_segments(segments | {"off": policy(GOLD).model_copy(update={"when": None})})
    assert len({*index.read_by.values()}) == 2
    assert len(index.timed) == 1
    assert set(index.roots) == set(segments)


def test_only_the_segments_whose_condition_flips_are_looked_at() -> None:
    index = compile_segments({f"s{n}": policy({"reading": "value:total", "at_least": n}) for n in range(1, 201)})
    questions = index.standing["value:total"].questions
    assert len(questions.flipped(50, 53)) == 3
    assert questions.flipped(50, 50.5) == []
    old, new = CustomerReadings({"value:total": 50}), CustomerReadings({"value:total": 53})
    done = reevaluate(index, begin(index, old, NOON), old, new, NOON)
    assert sorted(done.entered) == ["s51", "s52", "s53"]


def test_without_the_readings_of_before_a_fact_of_the_time_between_is_the_cause() -> None:
    index = compile_segments({"it": policy({"all": [GOLD, CALLS]}), "quiet": policy({"not": CALLS})})
    calls = [call(NOON - minutes(9)), call(NOON - minutes(5)), call(NOON)]
    customer = CustomerReadings({"tier": "gold"}, contacts=calls)
    done = compare(index, frozenset({"quiet", "gone"}), NOON - minutes(1), customer, NOON)
    assert done.entered == {"it"}
    assert done.left == {"quiet", "gone"}
    assert done.after == begin(index, customer, NOON)
    called = Cause("/when/all/1", "contacts:phone", "2", "3")
    assert done.causes == {"it": (called,), "quiet": (Cause("/when/not", "contacts:phone", "2", "3"),)}
    later = compare(index, frozenset({"it"}), NOON, customer, NOON + minutes(21))
    assert later.causes["it"] == (Cause("/when/all/1", WINDOW, "3", "2"),)


def test_without_the_readings_of_before_all_that_makes_it_so_is_the_cause() -> None:
    index = compile_segments({"it": policy({"any": [GOLD, {"not": CALLS}, {"reading": "stage", "is": "loyal"}]})})
    done = compare(index, frozenset(), NOON - minutes(1), CustomerReadings({"tier": "gold"}), NOON)
    assert done.causes == {
        "it": (Cause("/when/any/0", "tier", None, "gold"), Cause("/when/any/1/not", "contacts:phone", None, "0"))
    }


def test_an_instant_before_the_last_is_evaluated_as_it_was_then() -> None:
    index = compile_segments({"it": policy(CALLS), "quiet": policy({"absent": "contacts", "for": "1 hour"})})
    customer = CustomerReadings(contacts=[call(NOON - minutes(number)) for number in (0, 1, 2)])
    present = begin(index, customer, NOON)
    earlier = reevaluate(index, present, customer, customer, NOON - minutes(3))
    assert (sorted(earlier.entered), sorted(earlier.left)) == (["quiet"], ["it"])
    assert earlier.after == begin(index, customer, NOON - minutes(3))


def test_a_fact_can_bring_forward_when_time_moves_the_customer() -> None:
    silent = {"absent": "contacts", "for": "60 days", "among": "ever"}
    index = compile_segments({"silent": policy(silent), "caller": policy(CALLS)})
    old = CustomerReadings(contacts=[call(NOON), call(NOON)])
    present = begin(index, old, NOON)
    assert present.due == NOON + timedelta(days=60)
    new = replace(old, contacts=[*old.contacts, call(NOON + minutes(1))])
    done = reevaluate(index, present, old, new, NOON + minutes(1))
    assert done.entered == {"caller"}
    assert done.after.due == next_change(index, new, NOON + minutes(1)) == NOON + minutes(30)
