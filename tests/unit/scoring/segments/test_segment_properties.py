"""Whatever the policies, the customer and what becomes of it: one answer, however it is come by."""

import random
from collections.abc import Mapping
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from rapport_scoring.domain.segments import (
    CustomerReadings,
    SegmentPolicy,
    begin,
    compile_segments,
    evaluate,
    next_change,
    reevaluate,
)
from tests.unit.scoring.segments.customers import CUSTOMERS, NOON, SEGMENTS, STEP, changed, with_facts
from tests.unit.scoring.segments.oracle import members

PAST = st.integers(-90 * 60, 90 * 60)


@given(SEGMENTS, CUSTOMERS)
def test_compiled_is_as_written(segments: Mapping[str, SegmentPolicy], customer: CustomerReadings) -> None:
    assert evaluate(compile_segments(segments), customer, NOON) == members(segments, customer, NOON)


@given(st.data(), SEGMENTS, CUSTOMERS)
def test_incremental_is_full(
    data: st.DataObject, segments: Mapping[str, SegmentPolicy], customer: CustomerReadings
) -> None:
    index, at = compile_segments(segments), NOON
    memberships = begin(index, customer, at)
    for _ in range(data.draw(st.integers(1, 6))):
        after = data.draw(changed(customer))
        at += timedelta(seconds=data.draw(st.sampled_from([0, 0, 1, 59, 60, 181, -120, 900])))
        change = reevaluate(index, memberships, customer, after, at)
        expected = evaluate(index, after, at)
        assert change.after.segments == expected
        assert change.entered == expected - memberships.segments
        assert change.left == memberships.segments - expected
        assert set(change.causes) == change.entered | change.left
        assert all(change.causes.values())
        customer, memberships = after, change.after


@given(SEGMENTS, CUSTOMERS)
def test_time_changes_nothing_before_it_is_said_to(
    segments: Mapping[str, SegmentPolicy], customer: CustomerReadings
) -> None:
    index = compile_segments(segments)
    now = evaluate(index, customer, NOON)
    change, due = next_change(index, customer, NOON), begin(index, customer, NOON).due
    grid = (NOON + steps * STEP for steps in range(1, 250))
    first = next((instant for instant in grid if evaluate(index, customer, instant) != now), None)
    assert first == change
    assert change is None or (due is not None and due <= change)
    if change is not None:
        assert evaluate(index, customer, change - timedelta(microseconds=1)) == now


@given(SEGMENTS, CUSTOMERS, st.randoms(use_true_random=False), PAST)
def test_no_order_counts(
    segments: Mapping[str, SegmentPolicy], customer: CustomerReadings, chance: random.Random, seconds: int
) -> None:
    streams = ("contacts", "purchases", "answers", "tickets")
    facts = {name: chance.sample(customer.facts(name), len(customer.facts(name))) for name in streams}
    shuffled = with_facts(customer, facts)
    backwards = dict(reversed(list(segments.items())))
    at = NOON + timedelta(seconds=seconds)
    index, other = compile_segments(segments), compile_segments(backwards)
    assert evaluate(index, customer, at) == evaluate(other, shuffled, at)
    assert next_change(index, customer, at) == next_change(other, shuffled, at)
    assert not reevaluate(index, begin(index, customer, at), customer, shuffled, at).causes
