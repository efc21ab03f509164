"""Alarms as facts of episodes: each raised once, at its instant, and withdrawn when it no longer holds.

An episode of silence begins with a purchase and is named by its day: `(customer, kind, day)`. While it is the present
one and nothing is recorded of it, its alarm is pending. When its instant `due` has come it is `raised`, or `expired`
where it may have no effect any more; whichever is recorded first is final. A raised alarm whose episode is over is
`withdrawn`. What is recorded is never computed again, so restarts, repeats and clocks that jump change nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from uuid import UUID

from rapport_scoring.domain.figures import PurchaseDays
from rapport_shared.contracts.ids import derived_id


class AlarmState(StrEnum):
    """What can be recorded of an alarm."""

    RAISED = "raised"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


class AlarmReason(StrEnum):
    """Why an alarm expired or was withdrawn."""

    BEFORE_RULE = "before_rule"
    """It was due before the rule was activated."""
    HISTORICAL = "historical"
    """What began the episode is marked historical."""
    TOO_LATE = "too_late"
    """It was due longer ago than the effect horizon."""
    ANSWERED = "answered"
    """A purchase on the day it was due or later ended the silence."""
    MISTAKEN = "mistaken"
    """A purchase dated before the day it was due became known later."""
    TAKEN_BACK = "taken_back"
    """The purchase that began the episode was taken back."""
    UNMERGED = "unmerged"
    """It rang while the customer was merged, and the merge was undone."""


@dataclass(frozen=True, slots=True, order=True)
class Episode:
    """A stretch of a customer's life that can alarm once, named by the purchase day that began it."""

    customer_id: UUID
    kind: str
    began_on: date

    @property
    def alarm_id(self) -> UUID:
        """The id of its alarm: the same whoever computes it."""
        return derived_id("alarm", self.customer_id, self.kind, self.began_on)


@dataclass(frozen=True, slots=True)
class AlarmFact:
    """What was recorded of an episode's alarm. `due` is its instant, `due_on` the day of it in the customer's unit."""

    episode: Episode
    state: AlarmState
    due: datetime
    due_on: date
    recorded_at: datetime
    reason: AlarmReason | None = None


@dataclass(frozen=True, slots=True)
class AlarmRule:
    """Since when the rule is active, and how long after its instant an alarm may still have an effect."""

    activated_at: datetime
    effect_horizon: timedelta = timedelta(hours=72)


@dataclass(frozen=True, slots=True)
class Silence:
    """The present episode of a customer, and when it becomes an alarm.

    `historical` says that the event of the purchase that began it may have no effects.
    """

    episode: Episode
    due: datetime
    due_on: date
    historical: bool = False


@dataclass(frozen=True, slots=True)
class AlarmDecision:
    """The facts to record now, and the episode to look at again at its `due`."""

    facts: tuple[AlarmFact, ...]
    pending: Silence | None


def silence_due(last_purchase: date, days: int, zone: tzinfo) -> tuple[datetime, date]:
    """The instant (in UTC) and day when `days` have passed since a purchase: the midnight of `zone` that begins it.

    Silence begins on the day after the purchase at the earliest, so fewer than 1 count as 1.
    """
    due_on = last_purchase + timedelta(days=max(days, 1))
    return datetime.combine(due_on, time.min, zone).astimezone(UTC), due_on


def decide_alarms(
    present: Silence | None,
    bought_on: PurchaseDays,
    recorded: Iterable[AlarmFact],
    rule: AlarmRule,
    now: datetime,
) -> AlarmDecision:
    """What is to be recorded of the alarms of one customer and kind at the instant `now`, in the order to record it.

    `present` is the episode of the latest of `bought_on`, None without purchases; `recorded` is everything that
    was recorded of this customer and kind, in any order. Recording the facts and deciding again gives none.
    """
    known = list(recorded)
    facts = _withdrawals(present, bought_on, known, now)
    pending = pending_alarm(present, known)
    if pending is None or now < pending.due:
        return AlarmDecision(facts, pending)
    return AlarmDecision((*facts, _due_fact(pending, rule, now)), None)


def pending_alarm(present: Silence | None, recorded: Iterable[AlarmFact]) -> Silence | None:
    """The present episode, unless its alarm is recorded."""
    settled = {fact.episode for fact in recorded if fact.state is not AlarmState.WITHDRAWN}
    return None if present is None or present.episode in settled else present


def open_alarms(recorded: Iterable[AlarmFact]) -> frozenset[Episode]:
    """The episodes whose alarm was raised and not withdrawn."""
    known = list(recorded)
    withdrawn = {fact.episode for fact in known if fact.state is AlarmState.WITHDRAWN}
    return frozenset(fact.episode for fact in known if fact.state is AlarmState.RAISED) - withdrawn


def alarm_changes(
    published: Iterable[AlarmFact], recorded: Iterable[AlarmFact], now: datetime
) -> tuple[AlarmFact, ...]:
    """What to publish where `recorded` takes the place of what was `published`, those that end first.

    An alarm that is no longer open is withdrawn: for its recorded reason, else because a merge was undone.
    """
    was, known = list(published), list(recorded)
    last = {fact.episode: fact for fact in known}
    before = {fact.episode: fact for fact in was}
    open_before = open_alarms(was)
    ended = sorted(open_before - open_alarms(known))
    return (
        *(_ended(before[episode], last.get(episode), now) for episode in ended),
        *(
            fact
            for episode, fact in sorted(last.items())
            if (fact.state is AlarmState.RAISED and episode not in open_before)
            or (fact.state is AlarmState.EXPIRED and episode not in before)
        ),
    )


def _ended(published: AlarmFact, recorded: AlarmFact | None, now: datetime) -> AlarmFact:
    if recorded is not None and recorded.state is AlarmState.WITHDRAWN:
        return recorded
    return replace(published, state=AlarmState.WITHDRAWN, recorded_at=now, reason=AlarmReason.UNMERGED)


def _due_fact(present: Silence, rule: AlarmRule, now: datetime) -> AlarmFact:
    reason = None
    if present.due < rule.activated_at:
        reason = AlarmReason.BEFORE_RULE
    elif present.historical:
        reason = AlarmReason.HISTORICAL
    elif now - present.due > rule.effect_horizon:
        reason = AlarmReason.TOO_LATE
    state = AlarmState.RAISED if reason is None else AlarmState.EXPIRED
    return AlarmFact(present.episode, state, present.due, present.due_on, now, reason)


def _withdrawals(
    present: Silence | None, bought_on: PurchaseDays, recorded: Iterable[AlarmFact], now: datetime
) -> tuple[AlarmFact, ...]:
    known = list(recorded)
    still = open_alarms(known) - ({present.episode} if present else set())
    raised = {fact.episode: fact for fact in known if fact.state is AlarmState.RAISED and fact.episode in still}
    return tuple(
        AlarmFact(episode, AlarmState.WITHDRAWN, fact.due, fact.due_on, now, _why(fact, bought_on))
        for episode, fact in sorted(raised.items())
    )


def _why(raised: AlarmFact, bought_on: PurchaseDays) -> AlarmReason:
    """By the first purchase after the episode's own; without one it was taken back."""
    after = bought_on.after(raised.episode.began_on)
    if after is None:
        return AlarmReason.TAKEN_BACK
    return AlarmReason.MISTAKEN if after < raised.due_on else AlarmReason.ANSWERED
