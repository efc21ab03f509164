"""The assessment of a customer at an instant: what it is worth, what stage, tier and segments it is in, and what calls
for action. It is made at each fact and whenever time alone changes it; decisions are remembered, never recomputed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from enum import StrEnum
from typing import Protocol

from rapport_scoring.domain.attention import decide_attention, silence
from rapport_scoring.domain.commerce import commerce_figures
from rapport_scoring.domain.customer import CustomerFacts
from rapport_scoring.domain.decisions import Decisions, remember
from rapport_scoring.domain.dynamics.alarms import pending_alarm
from rapport_scoring.domain.dynamics.triggers import cooled_down, rule_of
from rapport_scoring.domain.effects import NO_EFFECTS, Effects
from rapport_scoring.domain.membership import decide_membership
from rapport_scoring.domain.memory import Memory, Survivor
from rapport_scoring.domain.noticed import Noticed, noticed, noticed_gone
from rapport_scoring.domain.rules import Rules
from rapport_scoring.domain.situation import Situation, midnight, situation_of
from rapport_scoring.domain.state import CustomerState, state_of
from rapport_scoring.domain.sums import WAITING
from rapport_scoring.domain.valuation import WINDOW
from rapport_shared.contracts.scoring import CommerceFigures, ContemporaryValue, ScoreUpdated

AGEING_DAYS = (1, 31, 61, 91)
"""Days after its day due on which a receivable comes into another bucket of the reserve."""


QUIET = timedelta(seconds=3)
"""How long no more facts of the past have come when decisions are made about them."""


class Cause(StrEnum):
    """Why a customer is assessed now."""

    FACTS = "facts"
    """Facts of now came, or other rules into force, or no more facts of the past have come for a while."""
    PAST = "past"
    """Facts of the past came, and more may follow: the score is computed, and decisions wait."""
    TIMER = "timer"
    """A timer fired."""
    LATE_TIMER = "late_timer"
    """A timer fired so late that nobody should act on it any more."""


class Dated(Protocol):
    """What says when the facts of a customer happened: its state, or the facts themselves."""

    @property
    def latest(self) -> datetime | None:
        """The last event time."""

    @property
    def last_day(self) -> date | None:
        """The last day, as units count days."""

    @property
    def historical(self) -> bool:
        """Whether the latest fact was reported as history."""

    @property
    def zone(self) -> tzinfo:
        """The zone in which the customer's unit counts days."""


@dataclass(frozen=True, slots=True)
class Occasion:
    """When and why a customer is assessed. `timed_at` is the latest instant that a timer asked for, now or before.

    `now` is the moment of deciding, which says only what is too old to act on.
    """

    now: datetime
    timed_at: datetime | None = None
    cause: Cause = Cause.FACTS

    @classmethod
    def of_timer(
        cls, now: datetime, timed_at: datetime | None, due_at: datetime | None, before: Memory, rules: Rules
    ) -> "Occasion":
        """The occasion of a timer that is due by now: the instant it was set to, or now where that is too long ago.

        Where none is due, or decisions about facts of the past waited for it, it is that of the facts as they are.
        """
        if before.waiting or due_at is None or due_at > now:
            return cls(now, timed_at)
        late = now - due_at > rules.effect_horizon
        instant = now if late else due_at
        latest = instant if timed_at is None else max(instant, timed_at)
        return cls(now, latest, Cause.LATE_TIMER if late else Cause.TIMER)

    def instant(self, state: Dated) -> datetime:
        """The instant that is assessed: the latest event, or the timer's if that is later."""
        return max(one for one in (state.latest, self.timed_at, datetime.min.replace(tzinfo=UTC)) if one is not None)

    def today(self, state: Dated) -> date:
        """The last day among the facts as their units count, or that of the timer if it is later."""
        days = [state.last_day] if state.last_day is not None else []
        return max([*days, self.timed_at.astimezone(state.zone).date()] if self.timed_at is not None else days)

    def effective(self, state: Dated, rules: Rules) -> bool:
        """Whether anybody should act on what is noticed now."""
        if self.cause is Cause.LATE_TIMER or self.now - self.instant(state) > rules.effect_horizon:
            return False
        return self.cause is Cause.TIMER or not state.historical


@dataclass(frozen=True, slots=True)
class Assessment:
    """What was found: the score, what is to be published besides, what is remembered, and when to look again.

    `needs_past`: which of the news call for action depends on the customer's past, which was not given.
    """

    score: ScoreUpdated
    noticed: tuple[Noticed, ...]
    memory: Memory
    due_at: datetime | None
    group: str | None
    needs_past: bool = False


def assess(
    state: CustomerState, rules: Rules, before: Memory, occasion: Occasion, past: CustomerFacts | None = None
) -> Assessment:
    """Assesses a customer of whom something is known. The same state, rules, memory and occasion give the same.

    `past` are the customer's facts. They are needed where a trigger fires or a segment is entered, to tell whether the
    same was so already before; without them nothing calls for action, and the answer says that they are needed.
    """
    situation = situation_of(state, rules, before, occasion.instant(state), occasion.today(state))
    return _undecided(situation, occasion) if occasion.cause is Cause.PAST else _decided(situation, occasion, past)


def _undecided(situation: Situation, occasion: Occasion) -> Assessment:
    """The score of the facts as they are, with decisions as they were; they are looked at when no more facts come."""
    pending = pending_alarm(silence(situation), situation.published.alarms)
    memory = replace(situation.published, pending=pending, waiting=True)
    group = situation.values.outlook.group
    return Assessment(_score(situation, memory), (), memory, occasion.now + QUIET, group)


def _decided(situation: Situation, occasion: Occasion, past: CustomerFacts | None) -> Assessment:
    state, rules = situation.state, situation.rules
    attention = decide_attention(situation)
    membership = decide_membership(situation, attention)
    needs_past = occasion.effective(state, rules) and bool(attention.triggers.firings or membership.entered)
    effects = NO_EFFECTS
    if occasion.effective(state, rules) and not (needs_past and past is None):
        effects = _effects(situation, past if needs_past else None)
    decisions = Decisions(attention, membership, effects)
    memory = remember(situation, decisions)
    due = [*attention.due, *membership.due, *_dates(situation)]
    return Assessment(
        score=_score(situation, memory),
        noticed=noticed(situation, decisions, memory),
        memory=memory,
        due_at=min((one for one in due if one > situation.instant), default=None),
        group=situation.values.outlook.group,
        needs_past=needs_past and past is None,
    )


def assess_facts(facts: CustomerFacts, rules: Rules, before: Memory, occasion: Occasion) -> Assessment:
    """Assesses a customer by all its facts, at a cost that grows with them: for whoever asks about the past."""
    return assess(state_of(facts, rules.value, occasion.today(facts)), rules, before, occasion, facts)


def catch_up(
    facts: CustomerFacts,
    rules: Rules,
    before: Memory,
    now: datetime,
    timed_at: datetime | None,
    due_at: datetime | None,
) -> Assessment:
    """The assessment of a customer under `rules` after all timers that are due by now, if nothing else happens.

    That is what scoring comes to when `rules` come into force: it assesses everybody at the instant of their last fact
    or timer, and fires the timers that this sets.
    """
    occasion = Occasion.of_timer(now, timed_at, due_at, before, rules)
    found = assess_facts(facts, rules, before, occasion)
    while found.due_at is not None and found.due_at <= now:
        occasion = Occasion.of_timer(now, occasion.timed_at, found.due_at, found.memory, rules)
        found = assess_facts(facts, rules, found.memory, occasion)
    return found


def _effects(situation: Situation, past: CustomerFacts | None) -> Effects:
    """Which of the news call for action: what was not so already an effect horizon before."""
    rules, standing = situation.rules, situation.standing
    edge = situation.instant - rules.effect_horizon
    earlier = set()
    if standing.stage_since is not None and standing.stage_since < edge.date():
        earlier.add(f"stage:{standing.stage.value}")
    if past is not None:
        cooling = {
            f"trigger:{state.trigger.value}"
            for state in situation.memory.triggers
            if (ready := cooled_down(rule_of(rules.trigger, state.trigger), state)) is not None and ready > edge
        }
        earlier |= _reasons_at(past, rules, edge) - cooling
    return Effects(True, earlier)


def _reasons_at(facts: CustomerFacts, rules: Rules, at: datetime) -> set[str]:
    """The triggers and segments that a customer would have had at an instant, by the facts that happened until then."""
    known = facts.until(at)
    if not known.known:
        return set()
    stated = {name: one for name, one in known.attributes.items() if one.occurred_at <= at}
    occasion = Occasion(at, at, Cause.LATE_TIMER)
    state = state_of(replace(known, attributes=stated), rules.value, at.astimezone(known.zone).date())
    former = assess(state, rules, Memory(), occasion).memory
    return {f"trigger:{name}" for name in former.fired} | {f"segment:{name}" for name in former.segments}


def nothing_known(state: CustomerState, rules: Rules, before: Memory, survivor: Survivor | None = None) -> Assessment:
    """The assessment of a customer of whom nothing is left, as one that was merged away: its score says so.

    Reasons that the `survivor` of the merge has go on there.
    """
    score = ScoreUpdated(
        customer_id=state.customer_id,
        as_of=None,
        policy_version=rules.versions.value,
        parameter_version=rules.versions.parameters,
        profiles=state.profiles,
        contemporary=ContemporaryValue(lifetime=(), lifetime_parts={}),
        lines=0,
        facts_digest=state.digest,
        commerce=CommerceFigures(),
    )
    memory = before.without_facts(state.profiles)
    return Assessment(score, noticed_gone(state.customer_id, rules, before, memory, survivor), memory, None, None)


def _score(situation: Situation, memory: Memory) -> ScoreUpdated:
    state, rules, values, standing = situation.state, situation.rules, situation.values, situation.standing
    return ScoreUpdated(
        customer_id=state.customer_id,
        as_of=situation.instant,
        policy_version=rules.versions.value,
        parameter_version=rules.versions.parameters,
        tier_policy_version=rules.versions.tier,
        trigger_policy_version=rules.versions.trigger,
        profiles=tuple(sorted(state.profiles)),
        contemporary=values.contemporary,
        lines=values.lines,
        waiting=state.figures.ever.get(WAITING, 0),
        facts_digest=state.digest,
        valued_on=values.on,
        commerce=commerce_figures(state.figures),
        potential=values.outlook.potential,
        model=values.outlook.model,
        total=standing.total,
        tier=standing.tier_state,
        stage=standing.stage_state,
        indicators=standing.indicator_values,
        alarms=memory.alarm_states,
        triggers=memory.trigger_states,
        suggestions=standing.suggestions,
        segments=tuple(sorted(memory.segments)),
    )


def _dates(situation: Situation) -> Sequence[datetime]:
    """When a value changes by itself: a document leaves the ninety days or begins to count, a receivable ages."""
    state, values, standing, today = situation.state, situation.values, situation.standing, situation.today
    days = {day + WINDOW for day in (*state.figures.days, *(one.issued_on for one in values.receivables))}
    days |= {state.begins_on} if state.begins_on is not None else set()
    days |= {
        due_on + timedelta(days=after)
        for receivable in values.receivables
        for due_on, amount in receivable.due
        if amount
        for after in AGEING_DAYS
    }
    days |= {standing.stage_until} if standing.stage_until is not None else set()
    ahead = min((day for day in days if day > today), default=None)
    return [] if ahead is None else [midnight(ahead, state.zone)]
