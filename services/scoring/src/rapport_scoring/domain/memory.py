"""What is remembered of a customer: decisions that were made once, and the profiles that they were made about.

An undone merge leaves no trace: decisions about the profiles that are left go on from where they were before.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from pydantic import TypeAdapter

from rapport_scoring.domain.dynamics.alarms import AlarmFact, Silence
from rapport_scoring.domain.dynamics.triggers import TriggerState
from rapport_scoring.domain.segments import Kept
from rapport_shared.contracts import scoring

MOST_COMPOSITIONS = 8
"""Memories of so many earlier compositions are kept: the first, and the newest others."""

MOST_ALARMS = 20
"""Alarms of so many newest episodes are published; all are remembered."""


@dataclass(frozen=True, slots=True)
class Fired:
    """Of a trigger that is on: since when, whether anybody was to act on it, and what it looked at."""

    since: datetime
    effective: bool
    inputs: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Memory:
    """What was decided of a customer, and where it stood when it was last assessed.

    `segments` are those it is in, since when; `kept` is what they read of it, nothing where there are no segments.
    `profiles` are those of the customer then; None in memories of before they were kept, which are of the present ones.
    `waiting` says that facts of the past came about which nothing is decided yet.
    `earlier` are memories of other compositions, the oldest first, which a further undo may need; they have none.
    """

    alarms: tuple[AlarmFact, ...] = ()
    pending: Silence | None = None
    triggers: tuple[TriggerState, ...] = ()
    fired: Mapping[str, Fired] = field(default_factory=dict)
    stage: str | None = None
    segments: Mapping[str, datetime] = field(default_factory=dict)
    kept: Kept | None = None
    profiles: tuple[UUID, ...] | None = None
    waiting: bool = False
    earlier: tuple["Memory", ...] = ()

    def of(self, profiles: Iterable[UUID]) -> "Memory":
        """The memory from which decisions about `profiles` start: that of most of them, and of no others.

        After a merge that is this one. After an undo it is the one from before the merge. Memories of a customer that
        was merged away (of no profiles) are all kept, because it may come back with any of them.
        """
        present = tuple(sorted(profiles))
        if self.profiles is None or self.profiles == present:
            return replace(self, profiles=present)
        known = [*self.earlier, replace(self, earlier=(), kept=None)]
        usable = [one for one in known if one.profiles and set(one.profiles) <= set(present)]
        start = max(reversed(usable), key=lambda one: len(one.profiles or ()), default=Memory())
        earlier = [one for one in known if one.profiles] if not present else usable
        return replace(start, profiles=present, earlier=_bounded([one for one in earlier if one.profiles != present]))

    def without_facts(self, profiles: Iterable[UUID]) -> "Memory":
        """What is remembered once nothing is known of the customer: the alarms, and the stage that was published."""
        present = self.of(profiles)
        return Memory(alarms=self.alarms, stage=self.stage, profiles=present.profiles, earlier=present.earlier)

    @property
    def has_reasons(self) -> bool:
        """Whether it is in a segment, or a trigger is on."""
        return bool(self.fired or self.segments)

    @property
    def trigger_states(self) -> tuple[scoring.TriggerState, ...]:
        """The triggers that are on, as they are published."""
        return tuple(
            scoring.TriggerState(name=name, since=one.since, effective=one.effective, inputs=dict(one.inputs))
            for name, one in sorted(self.fired.items())
        )

    @property
    def alarm_states(self) -> tuple[scoring.AlarmState, ...]:
        """The newest alarms as they are published, the newest episode first; the pending one is the newest."""
        last = {fact.episode: fact for fact in self.alarms}
        newest = tuple(alarm_state(last[episode]) for episode in sorted(last, reverse=True)[:MOST_ALARMS])
        return newest if self.pending is None else (_pending(self.pending), *newest)


def _bounded(earlier: list[Memory]) -> tuple[Memory, ...]:
    over = max(0, len(earlier) - MOST_COMPOSITIONS)
    return (*earlier[:1], *earlier[1 + over :])


@dataclass(frozen=True, slots=True)
class Survivor:
    """The customer that another one was merged into, and what is remembered of it."""

    customer_id: UUID
    memory: Memory


def alarm_state(fact: AlarmFact) -> scoring.AlarmState:
    """An alarm as it is published."""
    return scoring.AlarmState(
        alarm_id=fact.episode.alarm_id,
        kind=fact.episode.kind,
        episode=fact.episode.began_on,
        due_at=fact.due,
        state=fact.state.value,
        reason=fact.reason.value if fact.reason is not None else None,
    )


def _pending(silence: Silence) -> scoring.AlarmState:
    return scoring.AlarmState(
        alarm_id=silence.episode.alarm_id,
        kind=silence.episode.kind,
        episode=silence.episode.began_on,
        due_at=silence.due,
        state="pending",
    )


_ADAPTER = TypeAdapter(Memory)


def memory_of(text: str | None) -> Memory:
    """The memory that `text_of` wrote; an empty one of None."""
    return Memory() if text is None else _ADAPTER.validate_json(text)


def text_of(memory: Memory) -> str:
    """A memory as JSON text; equal memories give equal texts."""
    return _ADAPTER.dump_json(memory).decode()
