"""The assessment of a customer at an instant: what it is worth, what stage, tier and segments it is in, and what calls
for action. It is made at each fact and whenever time alone changes it; decisions are remembered, never recomputed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

from rapport_scoring.domain.attention import Attention, decide_attention, silence
from rapport_scoring.domain.commerce import commerce_figures
from rapport_scoring.domain.customer import CustomerFacts
from rapport_scoring.domain.decisions import Decisions, remember
from rapport_scoring.domain.dynamics.alarms import pending_alarm
from rapport_scoring.domain.dynamics.triggers import cooled_down, rule_of
from rapport_scoring.domain.effects import NO_EFFECTS, Effects
from rapport_scoring.domain.membership import Membership, decide_membership
from rapport_scoring.domain.memory import Memory, Survivor
from rapport_scoring.domain.noticed import Noticed, noticed, noticed_gone
from rapport_scoring.domain.rules import Rules
from rapport_scoring.domain.situation import Situation, midnight, situation_of
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

    def instant(self, facts: CustomerFacts) -> datetime:
        """The instant that is assessed: the latest event, or the timer's if that is later."""
        return max(one for one in (facts.latest, self.timed_at, datetime.min.replace(tzinfo=UTC)) if one is not None)

    def today(self, facts: CustomerFacts) -> date:
        """The day of that instant: the last day among the facts as their units count, or the timer's in UTC."""
        days = [facts.last_day] if facts.last_day is not None else []
        return max([*days, self.timed_at.astimezone(UTC).date()] if self.timed_at is not None else days)

    def effective(self, facts: CustomerFacts, rules: Rules) -> bool:
        """Whether anybody should act on what is noticed now."""
        if self.cause is Cause.LATE_TIMER or self.now - self.instant(facts) > rules.effect_horizon:
            return False
        return self.cause is Cause.TIMER or not facts.historical


@dataclass(frozen=True, slots=True)
class Assessment:
    """What was found: the score, what is to be published besides, what is remembered, and when to look again."""

    score: ScoreUpdated
    noticed: tuple[Noticed, ...]
    memory: Memory
    due_at: datetime | None
    group: str | None


def assess(facts: CustomerFacts, rules: Rules, before: Memory, occasion: Occasion) -> Assessment:
    """Assesses a customer of whom something is known. The same facts, rules, memory and occasion give the same."""
    situation = situation_of(facts, rules, before, occasion.instant(facts), occasion.today(facts))
    return _undecided(situation, occasion) if occasion.cause is Cause.PAST else _decided(situation, occasion)


def _undecided(situation: Situation, occasion: Occasion) -> Assessment:
    """The score of the facts as they are, with decisions as they were; they are looked at when no more facts come."""
    pending = pending_alarm(silence(situation), situation.published.alarms)
    memory = replace(situation.published, pending=pending, waiting=True)
    group = situation.values.outlook.group
    return Assessment(_score(situation, memory), (), memory, occasion.now + QUIET, group)


def _decided(situation: Situation, occasion: Occasion) -> Assessment:
    attention = decide_attention(situation)
    membership = decide_membership(situation, attention)
    decisions = Decisions(attention, membership, _effects(situation, attention, membership, occasion))
    memory = remember(situation, decisions)
    due = [*attention.due, *membership.due, *_dates(situation)]
    return Assessment(
        score=_score(situation, memory),
        noticed=noticed(situation, decisions, memory),
        memory=memory,
        due_at=min((one for one in due if one > situation.instant), default=None),
        group=situation.values.outlook.group,
    )


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
    found = assess(facts, rules, before, occasion)
    while found.due_at is not None and found.due_at <= now:
        occasion = Occasion.of_timer(now, occasion.timed_at, found.due_at, found.memory, rules)
        found = assess(facts, rules, found.memory, occasion)
    return found


def _effects(situation: Situation, attention: Attention, membership: Membership, occasion: Occasion) -> Effects:
    """Which of the news call for action. Only those of triggers and segments cost a look at the past."""
    facts, rules, standing = situation.facts, situation.rules, situation.standing
    if not occasion.effective(facts, rules):
        return NO_EFFECTS
    edge = situation.instant - rules.effect_horizon
    earlier = set()
    if standing.stage_since is not None and standing.stage_since < edge.date():
        earlier.add(f"stage:{standing.stage.value}")
    if attention.triggers.firings or membership.entered:
        cooling = {
            f"trigger:{state.trigger.value}"
            for state in situation.memory.triggers
            if (ready := cooled_down(rule_of(rules.trigger, state.trigger), state)) is not None and ready > edge
        }
        earlier |= _reasons_at(facts, rules, edge) - cooling
    return Effects(True, earlier)


def _reasons_at(facts: CustomerFacts, rules: Rules, at: datetime) -> set[str]:
    """The triggers and segments that a customer would have had at an instant, by the facts that happened until then."""
    known = facts.until(at)
    if not known.known:
        return set()
    stated = {name: one for name, one in known.attributes.items() if one.occurred_at <= at}
    former = assess(replace(known, attributes=stated), rules, Memory(), Occasion(at, at, Cause.LATE_TIMER)).memory
    return {f"trigger:{name}" for name in former.fired} | {f"segment:{name}" for name in former.segments}


def nothing_known(facts: CustomerFacts, rules: Rules, before: Memory, survivor: Survivor | None = None) -> Assessment:
    """The assessment of a customer of whom nothing is left, as one that was merged away: its score says so.

    Reasons that the `survivor` of the merge has go on there.
    """
    score = ScoreUpdated(
        customer_id=facts.customer_id,
        as_of=None,
        policy_version=rules.versions.value,
        parameter_version=rules.versions.parameters,
        profiles=facts.profiles,
        contemporary=ContemporaryValue(lifetime=(), lifetime_parts={}),
        lines=0,
        facts_digest=facts.digest,
        commerce=CommerceFigures(),
    )
    memory = before.without_facts(facts.profiles)
    return Assessment(score, noticed_gone(facts.customer_id, rules, before, memory, survivor), memory, None, None)


def _score(situation: Situation, memory: Memory) -> ScoreUpdated:
    facts, rules, values, standing = situation.facts, situation.rules, situation.values, situation.standing
    return ScoreUpdated(
        customer_id=facts.customer_id,
        as_of=situation.instant,
        policy_version=rules.versions.value,
        parameter_version=rules.versions.parameters,
        tier_policy_version=rules.versions.tier,
        trigger_policy_version=rules.versions.trigger,
        profiles=tuple(sorted(facts.profiles)),
        contemporary=values.contemporary,
        lines=len(values.ledger.lines),
        waiting=len(values.ledger.waiting),
        facts_digest=facts.digest,
        valued_on=values.on,
        commerce=commerce_figures(values.ledger),
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
    values, standing, today = situation.values, situation.standing, situation.today
    days = {line.day + WINDOW for line in values.ledger.lines if line.day + WINDOW > today}
    days |= {statement.day for statement in situation.facts.statements if statement.day > today}
    days |= {
        due_on + timedelta(days=after)
        for receivable in values.ledger.receivables
        for due_on, amount in receivable.due
        if amount
        for after in AGEING_DAYS
    }
    days |= {standing.stage_until} if standing.stage_until is not None else set()
    ahead = min((day for day in days if day > today), default=None)
    return [] if ahead is None else [midnight(ahead)]
