"""A segment that is tried finds who is a member once it is activated, whatever it reads."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from rapport_scoring.domain.assessment import Assessment, Cause, Occasion, assess_facts, catch_up
from rapport_scoring.domain.customer import CustomerFacts
from rapport_scoring.domain.dynamics.trigger_policy import TriggerPolicy
from rapport_scoring.domain.facts import Contact
from rapport_scoring.domain.memory import Memory, memory_of, text_of
from rapport_scoring.domain.rules import Rules, shipped_rules
from rapport_shared.contracts.ids import derived_id
from tests.unit.scoring.documents import PROFILE, START, line, order
from tests.unit.scoring.segments.customers import policy

READ: Mapping[str, Mapping[str, Any]] = {
    "alarm": {"reading": "alarm:silence", "is": True},
    "no alarm": {"not": {"reading": "alarm:silence", "is": True}},
    "trigger": {"reading": "trigger:retention", "is": True},
    "other trigger": {"reading": "trigger:win_back", "is": True},
    "fading value": {"reading": "value:potential", "less_than": 400_000},
    "total": {"reading": "value:total", "at_least": 300_000},
    "ninety days": {"reading": "value:last_90_days", "at_least": 10_000},
    "indicator": {"reading": "indicator:recency_days", "at_least": 30},
    "decaying": {"reading": "indicator:decayed_contacts:phone", "less_than": 0.5},
    "window": {"count": "purchases", "within": "60 days", "at_least": 2},
    "absence": {"absent": "contacts", "for": "20 days", "among": "ever"},
    "age": {"age": "stage", "at_least": "40 days"},
    "mixed": {"any": [{"reading": "trigger:retention", "is": True}, {"age": "customer", "at_least": "100 days"}]},
}
TRIED = "tried"
TRIGGERS = TriggerPolicy.model_validate(
    {
        "retention": {"fall": {"enter": "0.1", "clear": "0.05"}, "worth": {"enter": 1000, "clear": 500}},
        "win_back": {"worth": {"enter": 1000, "clear": 500}},
    }
)
BEFORE: Rules = (
    replace(shipped_rules(), trigger=TRIGGERS)
    .with_segment("window", policy({"count": "contacts", "within": "9 days", "at_least": 1}))
    .with_segment("falling", policy({"reading": "value:potential", "less_than": 200_000}))
)


@dataclass
class Scored:
    """A customer as scoring has it."""

    facts: CustomerFacts
    memory: Memory
    now: datetime
    timed_at: datetime | None
    due_at: datetime | None

    def take(self, rules: Rules, occasion: Occasion) -> Assessment:
        found = assess_facts(self.facts, rules, memory_of(text_of(self.memory)), occasion)
        self.memory, self.timed_at, self.due_at = found.memory, occasion.timed_at, found.due_at
        return found

    def fire(self, rules: Rules) -> bool:
        """Fires the next timer that is due by now, as a worker does; whether there was one."""
        if self.due_at is None or self.due_at > self.now:
            return False
        late = self.now - self.due_at > rules.effect_horizon
        instant = self.now if late else self.due_at
        at = instant if self.timed_at is None else max(instant, self.timed_at)
        self.take(rules, Occasion(self.now, at, Cause.LATE_TIMER if late else Cause.TIMER))
        return True

    def live(self, until: datetime, chance: random.Random) -> None:
        """Time passes, and most timers fire when they are due."""
        while self.due_at is not None and self.due_at <= until and chance.random() < 0.95:
            self.now = max(self.now, self.due_at)
            self.fire(BEFORE)
        self.now = until


def lived(seed: int) -> Scored:
    """A customer who bought and called for some months, assessed as it happened; some timers are not fired yet."""
    chance = random.Random(seed)
    scored = Scored(CustomerFacts(PROFILE, (PROFILE,)), Memory(), START, None, None)
    for number in range(chance.randrange(1, 9)):
        passed = timedelta(days=chance.choice([1, 7, 30, 45]), minutes=chance.randrange(600))
        scored.live(scored.now + passed, chance)
        if chance.random() < 0.7:
            minute = (scored.now - START) // timedelta(minutes=1)
            bought = order(str(number), minute, line("a", "1", chance.randrange(10_000, 90_000)))
            facts = replace(scored.facts, statements=[*scored.facts.statements, bought])
        else:
            event = derived_id("preview", seed, number)
            made = Contact(event, PROFILE, scored.now, scored.now.date(), "call.ended", "phone", "inbound", 60)
            facts = replace(scored.facts, contacts=[*scored.facts.contacts, made])
        instants = facts.instants
        scored.facts = replace(facts, earliest=instants[0], latest=instants[-1], last_day=instants[-1].date())
        scored.take(BEFORE, Occasion(scored.now, scored.timed_at))
    scored.live(scored.now + timedelta(days=chance.choice([0, 1, 40, 200, 500])), chance)
    return scored


def members_after_activation(scored: Scored, rules: Rules) -> set[str]:
    """A worker fires what is due, else assesses who was assessed under earlier rules, until nothing is left."""
    outdated = not scored.fire(rules)
    if outdated:
        scored.take(rules, Occasion(scored.now, scored.timed_at))
    while scored.fire(rules):
        pass
    return set(scored.memory.segments)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(sorted(READ)))
def test_a_preview_finds_who_is_a_member_after_activation(seed: int, name: str) -> None:
    scored = lived(seed)
    proposed = BEFORE.with_segment(TRIED, policy(READ[name]))
    preview = catch_up(scored.facts, proposed, scored.memory, scored.now, scored.timed_at, scored.due_at)
    assert set(preview.score.segments) == members_after_activation(scored, proposed)


def test_every_segment_that_is_tried_here_has_members_and_others() -> None:
    found = [members_after_activation(scored, rules) for scored, rules in _everyone()]
    for name in READ:
        inside = sum(name in segments for segments in found)
        assert 0 < inside < len(found), name


def _everyone() -> list[tuple[Scored, Rules]]:
    rules = BEFORE
    for name, when in READ.items():
        rules = rules.with_segment(name, policy(when))
    return [(lived(seed), rules) for seed in range(60)]
