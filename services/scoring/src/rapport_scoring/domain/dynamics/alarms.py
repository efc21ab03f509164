"""Alarms: each is raised once per episode of silence, and withdrawn when the episode is over.

An episode begins with a purchase, and its day identifies it: `(customer, kind, day)`. The alarm of the present episode
is pending until a state is recorded. At its instant `due` the alarm is `raised`, or `expired` if it may no longer have
an effect; the first recorded state is final. A raised alarm whose episode is over is `withdrawn`. Recorded states are
never computed again, so restarts, repeated events and clock jumps change nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from uuid import UUID

from rapport_scoring.domain.figures import PurchaseDays
from rapport_shared.contracts.ids import derived_id


class AlarmState(StrEnum):
    """A recorded state of an alarm."""

    RAISED = "raised"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


class AlarmReason(StrEnum):
    """Why an alarm expired or was withdrawn."""

    BEFORE_RULE = "before_rule"
    """It was due before the rule was activated."""
    HISTORICAL = "historical"
    """The purchase that began the episode is marked historical."""
    TOO_LATE = "too_late"
    """It was due longer ago than the effect horizon."""
    ANSWERED = "answered"
    """A purchase on the day it was due or later ended the silence."""
    MISTAKEN = "mistaken"
    """A purchase dated before the day it was due became known later."""
    TAKEN_BACK = "taken_back"
    """The purchase that began the episode was returned or cancelled."""
    UNMERGED = "unmerged"
    """It was raised while the customer was merged, and the merge was undone."""


@dataclass(frozen=True, slots=True, order=True)
class Episode:
    """A period of silence that can raise one alarm, identified by the day of the purchase that began it."""

    customer_id: UUID
    kind: str
    began_on: date

    @property
    def alarm_id(self) -> UUID:
        """The id of the episode's alarm, derived from the episode."""
        return derived_id("alarm", self.customer_id, self.kind, self.began_on)


@dataclass(frozen=True, slots=True)
class AlarmFact:
    """A recorded state of an episode's alarm. `due` is its instant, `due_on` the day of it in the customer's unit."""

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
    """The present episode of a customer, and the instant at which its alarm is due.

    `historical`: the purchase that began the episode may have no effects.
    """

    episode: Episode
    due: datetime
    due_on: date
    historical: bool = False


@dataclass(frozen=True, slots=True)
class AlarmDecision:
    """The facts to record now, and the episode to check again at its `due`."""

    facts: tuple[AlarmFact, ...]
    pending: Silence | None


def silence_due(last_purchase: date, days: int, zone: tzinfo) -> tuple[datetime, date]:
    """The instant (in UTC) at which the day begins in `zone` when `days` have passed since a purchase, and this day.

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
    """The facts to record at the instant `now` about the alarms of one customer and kind, in the order to record them.

    `present` is the episode of the latest of `bought_on`, None without purchases; `recorded` contains all recorded
    facts of this customer and kind, in any order. A second decision after recording the facts returns none.
    """
    known = list(recorded)
    facts = _withdrawals(present, bought_on, known, now)
    pending = pending_alarm(present, known)
    if pending is None or now < pending.due:
        return AlarmDecision(facts, pending)
    return AlarmDecision((*facts, _due_fact(pending, rule, now)), None)


def pending_alarm(present: Silence | None, recorded: Iterable[AlarmFact]) -> Silence | None:
    """The present episode, unless a state of its alarm is recorded."""
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
    """The facts to publish when `recorded` replaces the `published` facts; withdrawals come first.

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
    """The reason by the first purchase after the episode began; without one, its own purchase was taken back."""
    after = bought_on.after(raised.episode.began_on)
    if after is None:
        return AlarmReason.TAKEN_BACK
    return AlarmReason.MISTAKEN if after < raised.due_on else AlarmReason.ANSWERED
