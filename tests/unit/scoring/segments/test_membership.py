"""The segments of a customer as it is assessed again and again: as if from scratch, and each move told once."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rapport_scoring.domain.assessment import Assessment, Cause, Occasion, assess_facts, nothing_known
from rapport_scoring.domain.customer import CustomerFacts
from rapport_scoring.domain.facts import Answer, Attribute, Case, Contact
from rapport_scoring.domain.memory import Memory, memory_of, text_of
from rapport_scoring.domain.rules import Rules, shipped_rules
from rapport_scoring.domain.segments import compile_segments
from rapport_scoring.domain.state import CustomerState
from rapport_shared.contracts import scoring
from rapport_shared.contracts.ids import derived_id
from tests.unit.scoring.documents import PROFILE, START, line, order
from tests.unit.scoring.segments.customers import policy

SEGMENTS: Mapping[str, Mapping[str, Any]] = {
    "big": {"reading": "value:lifetime", "at_least": 100_000},
    "recent": {"reading": "value:last_90_days", "at_least": 40_000},
    "often": {"count": "purchases", "within": "30 days", "at_least": 2},
    "spending": {"sum": "purchases.revenue", "within": "60 days", "at_least": 60_000},
    "caller": {"count": "contacts", "where": {"channel": "phone"}, "within": "2 days", "at_least": 3},
    "silent": {"absent": "contacts", "for": "7 days", "among": "ever"},
    "new": {"age": "customer", "less_than": "10 days"},
    "settled": {"age": "stage", "at_least": "14 days"},
    "unhappy": {"min": "answers.score", "within": "30 days", "at_most": 4},
    "in danger": {"any": [{"reading": "alarm:silence", "is": True}, {"reading": "stage", "is": "lapsed"}]},
    "in need": {"all": [{"reading": "tickets:open:complaint", "at_least": 1}, {"count": "tickets", "at_least": 2}]},
    "east": {"reading": "attribute:unit", "under": "cn/east"},
    "firms": {"reading": "attribute:kind", "is": "company"},
}
FEWER = {name: when for name, when in SEGMENTS.items() if name not in ("big", "caller")}


def rules(segments: Mapping[str, Mapping[str, Any]]) -> Rules:
    return replace(shipped_rules(), segments=compile_segments({name: policy(when) for name, when in segments.items()}))


@dataclass(slots=True)
class Walk:
    """A customer to whom things happen at random; some become known late, and some were mistaken."""

    chance: random.Random
    now: datetime = START
    timed_at: datetime | None = None
    facts: CustomerFacts = field(default_factory=lambda: CustomerFacts(PROFILE, (PROFILE,)))

    def happen(self) -> None:
        """One thing more, or one less."""
        happened = self.now - timedelta(minutes=self.chance.choice([0, 0, 0, 1, 600, 5000, 20_000]))
        number = derived_id("walk", self.chance.random())
        facts, chance = self.facts, self.chance
        match chance.randrange(10):
            case 0 | 1 | 2:
                channel, seconds = chance.choice(["phone", "email"]), chance.randrange(300)
                made = Contact(number, PROFILE, happened, happened.date(), "call.ended", channel, "inbound", seconds)
                facts = replace(facts, contacts=[*facts.contacts, made])
            case 3 | 4:
                minute = (happened - START) // timedelta(minutes=1)
                placed = order(str(chance.randrange(30)), minute, line("a", "1", chance.randrange(10_000, 90_000)))
                facts = replace(facts, statements=[*facts.statements, placed])
            case 5:
                facts = replace(
                    facts, answers=[*facts.answers, Answer(number, PROFILE, happened, "nps", chance.randrange(11))]
                )
            case 6:
                opened = Case(number, number, PROFILE, "complaint", "open", True, happened, None, None)
                facts = replace(facts, cases=[*facts.cases, opened])
            case 7:
                cases = [replace(case, open=False, state="closed") for case in facts.cases]
                kind = Attribute(chance.choice(["person", "company"]), happened, number)
                facts = replace(facts, cases=cases, attributes={"kind": kind})
            case 8:
                facts = replace(facts, unit=chance.choice(["cn/east", "cn/east/shanghai", "cn/west"]))
            case _:
                facts = self._mistaken()
        self.facts = _dated(facts)

    def _mistaken(self) -> CustomerFacts:
        name = self.chance.choice(["contacts", "statements", "answers", "cases"])
        facts: list[Any] = list(getattr(self.facts, name))
        if facts:
            facts.remove(self.chance.choice(facts))
        changes: dict[str, Any] = {name: facts}
        return replace(self.facts, **changes)


def _dated(facts: CustomerFacts) -> CustomerFacts:
    instants = facts.instants
    last = instants[-1] if instants else None
    first = instants[0] if instants else None
    return replace(facts, earliest=first, latest=last, last_day=last.date() if last else None)


@pytest.mark.parametrize("seed", range(12))
def test_remembering_is_as_good_as_beginning_anew_and_each_move_is_told_once(seed: int) -> None:
    walk, memory, members = Walk(random.Random(seed)), Memory(), set[str]()
    due: datetime | None = None
    moves = 0
    for step in range(60):
        present = rules(FEWER if step in range(20, 40) else SEGMENTS)
        occasion = _next(walk, due)
        found = _assessed(walk, present, memory, occasion)
        anew = _assessed(walk, present, replace(memory, kept=None), occasion)
        assert found.memory == anew.memory
        assert found.due_at == anew.due_at
        moves += _follow(found, members)
        assert members == set(found.score.segments)
        memory, due = memory_of(text_of(found.memory)), found.due_at
        assert memory == found.memory
    assert moves > 20


def _next(walk: Walk, due: datetime | None) -> Occasion:
    """Time passes until something happens, or until the customer's timer fires, whichever is first."""
    until = walk.now + timedelta(minutes=walk.chance.choice([1, 60, 700, 3000, 15_000]))
    if due is not None and due <= until:
        walk.now = walk.timed_at = due
        return Occasion(due, due, Cause.TIMER)
    walk.now = until
    walk.happen()
    return Occasion(walk.now, walk.timed_at)


def _assessed(walk: Walk, present: Rules, before: Memory, occasion: Occasion) -> Assessment:
    if walk.facts.known:
        return assess_facts(walk.facts, present, before, occasion)
    return nothing_known(CustomerState(PROFILE, (PROFILE,)), present, before)


def _follow(found: Assessment, members: set[str]) -> int:
    """Lets the members follow what is told, which must fit; answers how many moves were."""
    told = [one.data for one in found.noticed]
    for one in told:
        if isinstance(one, scoring.SegmentEntered):
            assert one.segment not in members
            members.add(one.segment)
        elif isinstance(one, scoring.SegmentLeft):
            members.remove(one.segment)
    return sum(isinstance(one, scoring.SegmentMoved) for one in told)


def test_without_segments_nothing_is_kept() -> None:
    placed = order("1", 0, line("a", "1", 50_000))
    facts = _dated(CustomerFacts(PROFILE, (PROFILE,), statements=[placed]))
    occasion = Occasion(START.astimezone(UTC))
    within = assess_facts(facts, rules(SEGMENTS), Memory(), occasion)
    assert within.memory.kept is not None
    without = assess_facts(facts, rules({}), within.memory, occasion)
    assert without.memory.kept is None
    told = [one.data for one in without.noticed]
    assert {(one.segment, one.reading) for one in told if isinstance(one, scoring.SegmentLeft)} == {
        (name, "gone") for name in within.score.segments
    }
