"""Whatever the policies, the customer and what becomes of it: one answer, however it is come by."""

import random
from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from rapport_scoring.domain.segments import (
    CustomerReadings,
    Kept,
    SegmentPolicy,
    compile_segments,
    evaluate,
    refresh,
)
from tests.unit.scoring.segments.customers import CUSTOMERS, NOON, SEGMENTS, STEP, changed, with_facts
from tests.unit.scoring.segments.oracle import members

WRITTEN: Final = TypeAdapter(Kept)
PAST = st.integers(-90 * 60, 90 * 60)


@given(SEGMENTS, CUSTOMERS)
def test_compiled_is_as_written(segments: Mapping[str, SegmentPolicy], customer: CustomerReadings) -> None:
    assert evaluate(compile_segments(segments), customer, NOON) == members(segments, customer, NOON)


@given(st.data(), SEGMENTS, CUSTOMERS)
def test_incremental_is_full(
    data: st.DataObject, segments: Mapping[str, SegmentPolicy], customer: CustomerReadings
) -> None:
    index, at = compile_segments(segments), NOON
    done = refresh(index, frozenset(), None, customer, at)
    for _ in range(data.draw(st.integers(1, 6))):
        for _ in range(data.draw(st.sampled_from([1, 1, 2, 3]))):
            customer = data.draw(changed(customer))
        at += timedelta(seconds=data.draw(st.sampled_from([0, 0, 1, 59, 60, 181, -120, 900])))
        held, kept = done.segments, WRITTEN.validate_json(WRITTEN.dump_json(done.kept))
        done = refresh(index, held, kept, customer, at)
        expected = evaluate(index, customer, at)
        assert done.segments == expected
        assert done.entered == expected - held
        assert done.left == held - expected
        assert set(done.causes) == done.entered | done.left
        assert all(done.causes.values())
        assert done.kept == refresh(index, frozenset(), None, customer, at).kept


@given(SEGMENTS, CUSTOMERS)
def test_time_changes_nothing_before_it_is_said_to(
    segments: Mapping[str, SegmentPolicy], customer: CustomerReadings
) -> None:
    index = compile_segments(segments)
    now = refresh(index, frozenset(), None, customer, NOON)
    grid = (NOON + steps * STEP for steps in range(1, 250))
    first = next((instant for instant in grid if evaluate(index, customer, instant) != now.segments), None)
    due = now.kept.due
    assert first is None or (due is not None and due <= first)
    if due is not None:
        assert evaluate(index, customer, due - timedelta(microseconds=1)) == now.segments


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
    done = refresh(index, frozenset(), None, customer, at)
    again = refresh(other, done.segments, done.kept, shuffled, at)
    assert (again.segments, again.kept.due, again.causes) == (done.segments, done.kept.due, {})
