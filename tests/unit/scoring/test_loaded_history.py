"""Facts of the past that come one after the other: the score follows at once, and decisions are made at the end."""

import random
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from rapport_scoring.commands.assessments import News
from rapport_scoring.domain.assessment import QUIET, Cause, Occasion, assess_facts
from rapport_scoring.domain.customer import CustomerFacts
from rapport_scoring.domain.ledger.documents import Statement
from rapport_scoring.domain.memory import Memory, memory_of, text_of
from rapport_scoring.domain.rules import Rules, shipped_rules
from rapport_scoring.domain.state import CustomerState
from tests.unit.scoring.documents import PROFILE, START, line, order
from tests.unit.scoring.segments.customers import policy

OTHER = UUID("00000000-0000-5000-8000-000000000002")
RULES: Rules = (
    shipped_rules()
    .with_segment("small", policy({"reading": "value:lifetime", "between": [1, 20_000]}))
    .with_segment("big", policy({"reading": "value:lifetime", "at_least": 30_000}))
    .with_segment("often", policy({"count": "purchases", "within": "30 days", "at_least": 3}))
    .with_segment("silent", policy({"reading": "alarm:silence", "is": True}))
    .with_segment("falling", policy({"reading": "trigger:retention", "is": True}))
)
LOADED = START + timedelta(days=800)


def known(statements: list[Statement]) -> CustomerFacts:
    instants = [one.occurred_at for one in statements]
    return CustomerFacts(
        PROFILE,
        (PROFILE,),
        statements=statements,
        earliest=min(instants),
        latest=max(instants),
        last_day=max(at.date() for at in instants),
    )


PURCHASES = st.lists(st.tuples(st.integers(0, 400), st.integers(5_000, 90_000)), min_size=1, max_size=10)


@settings(max_examples=60, deadline=None)
@given(PURCHASES, PURCHASES, st.integers(1, 5), st.randoms(use_true_random=False))
def test_a_past_that_is_loaded_in_batches_in_any_order_is_decided_once_as_if_it_had_come_at_once(
    had: list[tuple[int, int]], loaded: list[tuple[int, int]], batch: int, chance: random.Random
) -> None:
    def made(found: list[tuple[int, int]], name: str) -> list[Statement]:
        return [
            order(f"{name}{number}", day * 1440, line("1", "1", net)) for number, (day, net) in enumerate(sorted(found))
        ]

    old, past = made(had, "had"), made(loaded, "past")
    start = assess_facts(known(old), RULES, Memory(), Occasion(START + timedelta(days=400))).memory
    at_once = assess_facts(known(old + past), RULES, start, Occasion(LOADED))
    chance.shuffle(past)
    memory, arrived, now = start, list(old), LOADED
    for begin in range(0, len(past), batch):
        arrived += past[begin : begin + batch]
        found = assess_facts(known(arrived), RULES, memory, Occasion(now, cause=Cause.PAST))
        assert found.noticed == ()
        assert found.due_at == now + QUIET
        decided = assess_facts(known(arrived), RULES, memory, Occasion(now))
        unpublished: dict[str, Any] = {"alarms": (), "triggers": (), "segments": ()}
        assert found.score.model_copy(update=unpublished) == decided.score.model_copy(update=unpublished)
        memory, now = memory_of(text_of(found.memory)), now + timedelta(milliseconds=300)
        assert (memory.waiting, memory.segments, memory.fired) == (True, start.segments, start.fired)
    last = assess_facts(known(arrived), RULES, memory, Occasion.of_timer(now + QUIET, None, now + QUIET, memory, RULES))
    assert replace(last.memory, alarms=(), profiles=None) == replace(at_once.memory, alarms=(), profiles=None)
    assert {(one.episode, one.state) for one in last.memory.alarms} == {
        (one.episode, one.state) for one in at_once.memory.alarms
    }
    assert [one.type for one in last.noticed] == [one.type for one in at_once.noticed]
    assert not last.memory.waiting


def test_what_is_recent_is_decided_at_once_and_a_merge_too_unless_a_past_is_being_loaded() -> None:
    state, edge = CustomerState(PROFILE, (PROFILE, OTHER)), START
    just, before = START + timedelta(minutes=1), START - timedelta(minutes=1)
    assert News({OTHER: just}).is_recent(state, edge, waiting=True)
    assert not News({OTHER: before}).is_recent(state, edge, waiting=False)
    assert not News({}).is_recent(state, edge, waiting=False), "history has no instant"
    moved = News({}, frozenset({PROFILE}), just)
    assert moved.is_recent(state, edge, waiting=False)
    assert not moved.is_recent(state, edge, waiting=True)
    assert not replace(moved, moved_at=before).is_recent(state, edge, waiting=False)
