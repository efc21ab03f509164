"""Alarms of silence: once an episode, at their instant, under restarts, clock jumps and purchases that come late."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from rapport_scoring.domain.dynamics.alarms import (
    AlarmFact,
    AlarmReason,
    AlarmRule,
    AlarmState,
    Episode,
    Silence,
    decide_alarms,
    open_alarms,
    silence_due,
)
from rapport_scoring.domain.figures import PurchaseDays
from rapport_shared.contracts.scoring import SILENCE
from tests.unit.scoring.indicators.examples import DAY, NOON, day

CUSTOMER = UUID(int=1)
DAYS = 10
RULE = AlarmRule(NOON - timedelta(days=100))
ONCE = PurchaseDays.of([DAY])


def silence(last: date, historical: bool = False) -> Silence:
    due, due_on = silence_due(last, DAYS, UTC)
    return Silence(Episode(CUSTOMER, SILENCE, last), due, due_on, historical)


def midnight(offset: int, hours: int = 0) -> datetime:
    return datetime(DAY.year, DAY.month, DAY.day, tzinfo=UTC) + timedelta(days=offset, hours=hours)


@pytest.mark.parametrize(
    ("hours", "state", "reason"),
    [
        (0, AlarmState.RAISED, None),
        (72, AlarmState.RAISED, None),
        (73, AlarmState.EXPIRED, AlarmReason.TOO_LATE),
    ],
)
def test_what_is_due_is_raised_unless_too_late(hours: int, state: AlarmState, reason: AlarmReason | None) -> None:
    [fact] = decide_alarms(silence(DAY), ONCE, [], RULE, midnight(DAYS, hours)).facts
    assert (fact.state, fact.reason, fact.due, fact.due_on) == (state, reason, midnight(DAYS), day(DAYS))


def test_before_it_is_due_it_is_pending() -> None:
    decision = decide_alarms(silence(DAY), ONCE, [], RULE, midnight(DAYS) - timedelta(seconds=1))
    assert (decision.facts, decision.pending) == ((), silence(DAY))


def test_what_was_due_before_the_rule_or_is_history_expires() -> None:
    late = AlarmRule(midnight(DAYS, 1))
    [fact] = decide_alarms(silence(DAY), ONCE, [], late, midnight(DAYS, 2)).facts
    assert fact.reason is AlarmReason.BEFORE_RULE
    at_once = AlarmRule(midnight(DAYS))
    assert decide_alarms(silence(DAY), ONCE, [], at_once, midnight(DAYS)).facts[0].state is AlarmState.RAISED
    [fact] = decide_alarms(silence(DAY, historical=True), ONCE, [], RULE, midnight(DAYS)).facts
    assert fact.reason is AlarmReason.HISTORICAL


@pytest.mark.parametrize(
    ("days", "reason"),
    [
        ([0, 9], AlarmReason.MISTAKEN),
        ([0, 10], AlarmReason.ANSWERED),
        ([0, 9, 30], AlarmReason.MISTAKEN),
        ([-5], AlarmReason.TAKEN_BACK),
        ([], AlarmReason.TAKEN_BACK),
    ],
)
def test_a_raised_alarm_whose_episode_is_over_is_withdrawn(days: list[int], reason: AlarmReason) -> None:
    raised = decide_alarms(silence(DAY), ONCE, [], RULE, midnight(DAYS)).facts
    bought = [day(offset) for offset in days]
    present = silence(max(bought)) if bought else None
    facts = decide_alarms(present, PurchaseDays.of(bought), raised, RULE, midnight(DAYS, 1)).facts
    withdrawn = [fact for fact in facts if fact.state is AlarmState.WITHDRAWN]
    assert [(fact.episode.began_on, fact.reason) for fact in withdrawn] == [(DAY, reason)]


def test_an_alarm_is_due_at_midnight_of_its_unit() -> None:
    due, due_on = silence_due(date(2026, 3, 20), 9, ZoneInfo("Europe/Berlin"))
    assert (due, due_on) == (datetime(2026, 3, 28, 23, tzinfo=UTC), date(2026, 3, 29))
    assert silence_due(DAY, 0, UTC)[1] == day(1)


def test_an_alarm_has_one_id() -> None:
    assert Episode(CUSTOMER, SILENCE, DAY).alarm_id == Episode(CUSTOMER, SILENCE, DAY).alarm_id
    assert Episode(CUSTOMER, SILENCE, DAY).alarm_id != Episode(CUSTOMER, SILENCE, day(1)).alarm_id


class Alarms(RuleBasedStateMachine):
    """Purchases come and go in any order and the clock jumps; the oracle tells each episode's story by itself."""

    @initialize(activated=st.integers(-20, 20))
    def start(self, activated: int) -> None:
        self.rule = AlarmRule(midnight(activated))
        self.now = midnight(0)
        self.bought: dict[int, bool] = {}
        self.recorded: list[AlarmFact] = []
        self.story: dict[int, list[str]] = {}

    @rule(offset=st.integers(-30, 60), historical=st.booleans())
    def purchase(self, offset: int, historical: bool) -> None:
        self.bought.setdefault(offset, historical)

    @rule(data=st.data())
    def take_back(self, data: st.DataObject) -> None:
        if self.bought:
            del self.bought[data.draw(st.sampled_from(sorted(self.bought)))]

    @rule(hours=st.integers(-100, 300))
    def clock_jumps(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @rule(times=st.integers(1, 3), data=st.data())
    def look(self, times: int, data: st.DataObject) -> None:
        """Once or repeatedly, by instances that know nothing but what was recorded, in whatever order it is read."""
        for time in range(times):
            recorded = data.draw(st.permutations(self.recorded))
            last = max(self.bought, default=None)
            present = None if last is None else silence(day(last), self.bought[last])
            bought = data.draw(st.permutations([day(offset) for offset in self.bought]))
            facts = decide_alarms(present, PurchaseDays.of(bought), recorded, self.rule, self.now).facts
            assert time == 0 or not facts
            self.recorded += facts
        self.tell(max(self.bought, default=None))

    def tell(self, last: int | None) -> None:
        """What an oracle that handles one episode at a time says."""
        for began, told in self.story.items():
            if told == ["raised"] and began != last:
                told.append("withdrawn")
        if last is None or self.story.get(last):
            return
        waited = self.now - midnight(last + DAYS)
        if waited >= timedelta(0):
            idle = midnight(last + DAYS) < self.rule.activated_at or self.bought[last] or waited > timedelta(hours=72)
            self.story[last] = ["expired" if idle else "raised"]

    @invariant()
    def every_episode_is_told_as_the_oracle_tells_it(self) -> None:
        told: dict[int, list[str]] = {}
        for fact in getattr(self, "recorded", []):
            told.setdefault((fact.episode.began_on - DAY).days, []).append(fact.state.value)
            assert fact.due == midnight((fact.due_on - DAY).days)
        assert told == getattr(self, "story", {})
        still = {(episode.began_on - DAY).days for episode in open_alarms(getattr(self, "recorded", []))}
        assert still == {began for began, facts in told.items() if facts == ["raised"]}


TestAlarms = Alarms.TestCase
TestAlarms.settings = settings(max_examples=120, stateful_step_count=40, deadline=None)
