"""Counts the tickets that a playbook would have opened for the occasions of the past."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from rapport_ticket.domain.playbook import Play, PlaybookPolicy

EXAMPLES: Final = 5


@dataclass(frozen=True, slots=True)
class Occasion:
    """A customer had a reason from `recorded_at` until `ended_at`, or still has it (None)."""

    customer_id: UUID
    reason: str
    recorded_at: datetime
    ended_at: datetime | None


@dataclass(slots=True)
class _Opened:
    """The tickets that one play would have opened."""

    tickets: int = 0
    needless: int = 0
    customers: set[UUID] = field(default_factory=set)
    last: dict[UUID, tuple[datetime, datetime | None]] = field(default_factory=dict)
    days: Counter[date] = field(default_factory=Counter)


class Rehearsal:
    """Applies a playbook to occasions, which must come in order of time for each customer.

    A ticket counts as open until its reason ends, because the day on which it would have been closed is unknown.
    """

    def __init__(self, playbook: PlaybookPolicy) -> None:
        self._playbook = playbook
        self._opened = {name: _Opened() for name in playbook.plays}
        self._unanswered: Counter[str] = Counter()
        self._occasions = 0

    def take(self, occasion: Occasion) -> None:
        """Applies the playbook to the next occasion."""
        self._occasions += 1
        answered = False
        for name, play in self._playbook.answering(occasion.reason):
            _play(self._opened[name], play, occasion)
            answered = True
        if not answered:
            self._unanswered[occasion.reason] += 1

    def outcome(self) -> dict[str, Any]:
        """Returns the tickets by play and in all, the reasons without a play, and the day with the most tickets."""
        days = sum((one.days for one in self._opened.values()), Counter[date]())
        busiest = min(days, key=lambda day: (-days[day], day), default=None)
        return {
            "occasions": self._occasions,
            "tickets": sum(one.tickets for one in self._opened.values()),
            "customers": len(set().union(*(one.customers for one in self._opened.values()))),
            "busiest_day": {"day": busiest.isoformat(), "tickets": days[busiest]} if busiest else None,
            "plays": {name: _outcome(one) for name, one in sorted(self._opened.items())},
            "unanswered": dict(sorted(self._unanswered.items())),
        }


def _play(opened: _Opened, play: Play, occasion: Occasion) -> None:
    last = opened.last.get(occasion.customer_id)
    if last is not None:
        opened_at, ended_at = last
        if ended_at is None or ended_at > occasion.recorded_at:
            return
        if occasion.recorded_at < opened_at + timedelta(days=play.cool_down_days):
            return
    opened.tickets += 1
    opened.needless += occasion.ended_at is not None
    opened.customers.add(occasion.customer_id)
    opened.last[occasion.customer_id] = occasion.recorded_at, occasion.ended_at
    opened.days[occasion.recorded_at.date()] += 1


def _outcome(opened: _Opened) -> dict[str, Any]:
    return {
        "tickets": opened.tickets,
        "customers": len(opened.customers),
        "reason_gone": opened.needless,
        "examples": [str(customer_id) for customer_id in sorted(opened.customers)[:EXAMPLES]],
    }
