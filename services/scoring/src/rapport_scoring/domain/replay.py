"""A customer's past, run through the real engine under any rules, and what it would have published.

Facts come by event time; between them the timers that are due fire. What is not known to have been recorded when is
taken as known when it happened.
"""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from rapport_scoring.domain.assessment import Assessment, Cause, Occasion, assess
from rapport_scoring.domain.customer import CustomerFacts
from rapport_scoring.domain.memory import Memory
from rapport_scoring.domain.rules import ALWAYS, Rules

MOST_STEPS = 400
"""Of one customer: a replay that takes more ends early, and says so."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """The events that a replay found, counted by type, and the last assessment, None where nothing is known.

    `complete` is false where the replay was cut short.
    """

    events: Counter[str]
    last: Assessment | None
    complete: bool = True


def replay(facts: CustomerFacts, rules: Rules, since: datetime, until: datetime) -> Replayed:
    """Replays (`since`, `until`]. What was so already at `since` is no event; every rule counts as active before."""
    always = replace(rules, rules_since=ALWAYS)
    known = facts.until(since)
    before = assess(known, always, Memory(), Occasion(since, since, Cause.TIMER)) if known.known else None
    events: Counter[str] = Counter()
    instants = [at for at in facts.instants if since < at <= until]
    last, steps = before, 0
    at = _next(instants, last, since, until)
    while at is not None and steps < MOST_STEPS:
        known = facts.until(at)
        last = assess(known, always, last.memory if last else Memory(), Occasion(at, at, Cause.TIMER))
        events.update(_name(one.type.name, one.data) for one in last.noticed)
        at, steps = _next(instants, last, at, until), steps + 1
    return Replayed(events, last, complete=at is None)


def _next(instants: list[datetime], last: Assessment | None, after: datetime, until: datetime) -> datetime | None:
    """The next fact or timer."""
    due = [last.due_at] if last is not None and last.due_at is not None and last.due_at <= until else []
    return min((at for at in (*instants, *due) if at > after), default=None)


def _name(event: str, data: object) -> str:
    """An event by its type, and by the trigger, stage or segment that it is about."""
    match data:
        case _ if hasattr(data, "trigger"):
            return f"{event}:{data.trigger.name}"
        case _ if hasattr(data, "segment"):
            return f"{event}:{data.segment}"
        case _ if hasattr(data, "after"):
            return f"{event}:{data.after}"
        case _:
            return event


def window_of(days: int, now: datetime) -> tuple[datetime, datetime]:
    """The `days` up to now."""
    return (now - timedelta(days=days)).astimezone(UTC), now.astimezone(UTC)
