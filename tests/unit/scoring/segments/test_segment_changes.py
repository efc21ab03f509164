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
    SegmentIndex,
    SegmentPolicy,
    compile_segments,
    evaluate,
    refresh,
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
    return onward(index, begin(index, old), new, NOON + later)


def begin(index: SegmentIndex, customer: CustomerReadings, at: datetime = NOON) -> Change:
    return refresh(index, frozenset(), None, customer, at)


def onward(index: SegmentIndex, before: Change, customer: CustomerReadings, at: datetime = NOON) -> Change:
    return refresh(index, before.segments, before.kept, customer, at)


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
    entered = onward(index, begin(index, two), three)
    assert entered.causes == {"it": (Cause("/when", "contacts:phone", "2", "3"),)}
    assert entered.kept.due == NOON + minutes(1)
    left = onward(index, entered, three, NOON + minutes(1))
    assert left.left == {"it"}
    assert left.causes == {"it": (Cause("/when", WINDOW, "3", "2"),)}
    assert left.kept.due is None


def test_silence_begins_when_the_last_contact_leaves_the_window() -> None:
    silent = {"absent": "contacts", "for": "60 days", "among": "ever"}
    index = compile_segments({"it": policy(silent)})
    assert begin(index, NOBODY).kept.due is None
    called = CustomerReadings(contacts=[call(NOON)])
    due = begin(index, called).kept.due
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
    assert begin(index, ordered).kept.due == NOON + minutes(5)
    done = onward(index, begin(index, ordered), ordered, NOON + minutes(5))
    assert done.causes == {"it": (Cause("/when", "purchases", "0", "1"),)}


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


def test_an_age_counts_from_what_the_facts_tell() -> None:
    index = compile_segments({"it": policy({"age": "stage", "at_least": "7 days"})})
    loyal = CustomerReadings(since={"stage": NOON})
    assert begin(index, loyal).kept.due == NOON + timedelta(days=7)
    done = onward(index, begin(index, loyal), loyal, NOON + timedelta(days=7))
    assert done.causes == {"it": (Cause("/when", WINDOW, "0 weeks", "1 week"),)}
    longer = onward(index, begin(index, loyal), CustomerReadings(since={"stage": NOON - timedelta(days=8)}))
    assert longer.causes == {"it": (Cause("/when", "age:stage", "0 weeks", "8 days"),)}


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
    done = onward(index, begin(index, old), new)
    assert sorted(done.entered) == ["s51", "s52", "s53"]


def test_where_nothing_was_kept_all_that_makes_it_so_is_the_cause() -> None:
    index = compile_segments({"it": policy({"any": [GOLD, {"not": CALLS}, {"reading": "stage", "is": "loyal"}]})})
    makes_it_so = {
        "it": (Cause("/when/any/0", "tier", None, "gold"), Cause("/when/any/1/not", "contacts:phone", None, "0"))
    }
    gold = CustomerReadings({"tier": "gold"})
    assert begin(index, gold).causes == makes_it_so
    others = begin(compile_segments({"gone": policy(GOLD)}), gold)
    done = onward(index, others, gold)
    assert done.entered == {"it"}
    assert done.left == {"gone"}
    assert done.causes == makes_it_so
    assert done.kept == begin(index, gold).kept


def test_of_facts_that_were_corrected_only_what_they_are_now_is_told() -> None:
    index = compile_segments({"it": policy({"any": [CALLS, GOLD]}), "both": policy({"all": [GOLD, CALLS]})})
    calls = [call(NOON - minutes(number)) for number in (3, 2, 1)]
    two = begin(index, CustomerReadings({"tier": "gold"}, contacts=calls[::2]))
    late = onward(index, two, CustomerReadings({"tier": "gold"}, contacts=calls))
    assert late.causes == {"both": (Cause("/when/all/1", "contacts:phone", None, "3"),)}
    fewer = onward(index, late, CustomerReadings({"tier": "tin"}, contacts=calls[1:]))
    lost = Cause("/when/any/0", "contacts:phone", None, "2")
    fallen = Cause("/when/any/1", "tier", "gold", "tin")
    assert fewer.causes == {"it": (fallen,), "both": (Cause("/when/all/0", "tier", "gold", "tin"),)}
    again = onward(index, fewer, CustomerReadings({"tier": "tin"}, contacts=calls))
    assert again.causes == {"it": (replace(lost, after="3"),)}


def test_what_no_segment_reads_is_not_kept() -> None:
    index = compile_segments({"it": policy({"any": [GOLD, {"reading": "alarm:silence", "is": True}]})})
    customer = CustomerReadings(
        {"tier": "tin", "stage": "loyal", "alarm:silence": False}, {"customer": NOON}, contacts=[call(NOON)]
    )
    kept = begin(index, customer).kept
    assert (kept.values, kept.since, kept.streams) == ({"tier": "tin"}, {}, {})
    counting = begin(compile_segments({"it": policy(CALLS)}), customer).kept
    assert (counting.values, counting.streams["contacts"].facts) == ({}, 1)


def test_only_another_condition_makes_other_segments() -> None:
    made = [compile_segments({"it": policy(when)}).fingerprint for when in (GOLD, dict(GOLD), CALLS)]
    assert made[0] == made[1] != made[2]
    described = policy(GOLD).model_copy(update={"description": "Good ones."})
    assert compile_segments({"it": described, "off": SegmentPolicy()}).fingerprint == made[0]
    assert compile_segments({"other": described}).fingerprint != made[0]


def test_an_instant_before_the_last_is_evaluated_as_it_was_then() -> None:
    index = compile_segments({"it": policy(CALLS), "quiet": policy({"absent": "contacts", "for": "1 hour"})})
    customer = CustomerReadings(contacts=[call(NOON - minutes(number)) for number in (0, 1, 2)])
    earlier = onward(index, begin(index, customer), customer, NOON - minutes(3))
    assert (sorted(earlier.entered), sorted(earlier.left)) == (["quiet"], ["it"])
    assert earlier.kept == begin(index, customer, NOON - minutes(3)).kept


def test_a_fact_can_bring_forward_when_time_moves_the_customer() -> None:
    silent = {"absent": "contacts", "for": "60 days", "among": "ever"}
    index = compile_segments({"silent": policy(silent), "caller": policy(CALLS)})
    old = CustomerReadings(contacts=[call(NOON), call(NOON)])
    present = begin(index, old)
    assert present.kept.due == NOON + timedelta(days=60)
    new = replace(old, contacts=[*old.contacts, call(NOON + minutes(1))])
    done = onward(index, present, new, NOON + minutes(1))
    assert done.entered == {"caller"}
    assert done.kept.due == NOON + minutes(30)
