"""A merge that is undone leaves no trace in decisions, and what is published always adds up to what is decided."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from rapport_scoring.domain.assessment import Assessment, Cause, Occasion, assess_facts, nothing_known
from rapport_scoring.domain.customer import CustomerFacts
from rapport_scoring.domain.dynamics.alarms import open_alarms
from rapport_scoring.domain.ledger.documents import Statement
from rapport_scoring.domain.memory import MOST_COMPOSITIONS, Memory, memory_of, text_of
from rapport_scoring.domain.rules import Rules, shipped_rules
from rapport_scoring.domain.segments import compile_segments
from rapport_scoring.domain.state import CustomerState
from rapport_shared.contracts import scoring
from rapport_shared.contracts.ids import derived_id
from tests.unit.scoring.documents import START, document, line
from tests.unit.scoring.segments.customers import policy

PROFILES = tuple(derived_id("undone-merges", number) for number in range(4))
SEGMENTS: Mapping[str, Mapping[str, Any]] = {
    "silent": {"reading": "alarm:silence", "is": True},
    "falling": {"reading": "trigger:retention", "is": True},
    "big": {"reading": "value:lifetime", "at_least": 1_000_000},
    "often": {"count": "purchases", "within": "30 days", "at_least": 2},
}
RULES: Rules = replace(
    shipped_rules(), segments=compile_segments({name: policy(when) for name, when in SEGMENTS.items()})
)
DAY = timedelta(days=1)


def purchase(profile: UUID, at: datetime, net: int) -> Statement:
    minute = (at - START) // timedelta(minutes=1)
    totals: dict[str, Any] = {"net": net, "gross": net, "currency": "CNY", "lines": [line("1", "1", net)]}
    return document("order.placed", minute, profile=profile, order=f"{profile.hex[-4:]}-{minute}", **totals)


@dataclass(frozen=True)
class Step:
    """Time passes, then something happens: a purchase at a profile, a join, an undo, or only timers fire."""

    days: int
    kind: str
    one: int = 0
    other: int = 0


@dataclass
class Forest:
    """Which profile is joined into which; whoever is joined into none is a customer."""

    joins: dict[UUID, UUID] = field(default_factory=dict)

    def root(self, profile: UUID) -> UUID:
        while profile in self.joins:
            profile = self.joins[profile]
        return profile

    def path(self, profile: UUID) -> Iterator[UUID]:
        yield profile
        while profile in self.joins:
            profile = self.joins[profile]
            yield profile

    def customer(self, root: UUID) -> tuple[UUID, ...]:
        return tuple(sorted(profile for profile in PROFILES if self.root(profile) == root))


@dataclass
class Row:
    """What scoring keeps of a customer, and what a reader of its events has made of them."""

    memory: Memory = field(default_factory=Memory)
    timed_at: datetime | None = None
    due_at: datetime | None = None
    version: int = 0
    alarms: set[UUID] = field(default_factory=set)
    triggers: set[str] = field(default_factory=set)
    segments: set[str] = field(default_factory=set)
    withdrawn: list[scoring.AlarmWithdrawn] = field(default_factory=list)
    stage: str | None = None

    def follow(self, found: Assessment) -> None:
        for one in (each.data for each in found.noticed):
            match one:
                case scoring.AlarmRaised():
                    assert one.alarm.alarm_id not in self.alarms
                    self.alarms.add(one.alarm.alarm_id)
                case scoring.AlarmWithdrawn():
                    self.alarms.remove(one.alarm.alarm_id)
                    self.withdrawn.append(one)
                case scoring.TriggerCleared():
                    self.triggers.remove(one.trigger.name)
                case scoring.TriggerFired():
                    assert one.trigger.name not in self.triggers
                    self.triggers.add(one.trigger.name)
                case scoring.SegmentEntered():
                    assert one.segment not in self.segments
                    self.segments.add(one.segment)
                case scoring.SegmentLeft():
                    self.segments.remove(one.segment)
                case scoring.StageChanged():
                    assert one.before == self.stage
                    self.stage = one.after

    def assert_followed(self) -> None:
        memory = self.memory
        assert self.alarms == {episode.alarm_id for episode in open_alarms(memory.alarms)}
        assert self.triggers == set(memory.fired)
        assert self.segments == set(memory.segments)
        assert self.stage == memory.stage


@dataclass(frozen=True)
class Look:
    """An assessment of a customer: at which step, of which profiles, on which occasion."""

    step: int
    customer: UUID
    profiles: tuple[UUID, ...]
    occasion: Occasion


@dataclass
class World:
    """Customers to whom purchases, joins and undos happen, as scoring assesses them."""

    now: datetime = START
    forest: Forest = field(default_factory=Forest)
    statements: list[Statement] = field(default_factory=list)
    rows: dict[UUID, Row] = field(default_factory=lambda: {profile: Row() for profile in PROFILES})
    looks: list[Look] = field(default_factory=list)

    def facts(self, customer: UUID, profiles: tuple[UUID, ...]) -> CustomerFacts:
        own = [one for one in self.statements if one.profile_id in profiles]
        instants = [one.occurred_at for one in own]
        return CustomerFacts(
            customer,
            profiles,
            statements=own,
            earliest=min(instants, default=None),
            latest=max(instants, default=None),
            last_day=max((at.date() for at in instants), default=None),
        )

    def look(self, step: int, customer: UUID, profiles: tuple[UUID, ...], occasion: Occasion) -> None:
        """Assesses a customer as scoring does, which keeps its memory as text."""
        row, facts = self.rows[customer], self.facts(customer, profiles)
        if row.version == 0 and not facts.known:
            return
        before = memory_of(text_of(row.memory))
        nothing = CustomerState(customer, profiles)
        found = assess_facts(facts, RULES, before, occasion) if facts.known else nothing_known(nothing, RULES, before)
        row.memory, row.due_at, row.timed_at, row.version = (
            found.memory,
            found.due_at,
            occasion.timed_at,
            row.version + 1,
        )
        row.follow(found)
        row.assert_followed()
        self.looks.append(Look(step, customer, profiles, occasion))

    def touched(self, number: int, customers: set[UUID]) -> None:
        for customer in sorted(customers, key=lambda one: (self.forest.root(one) != one, one)):
            occasion = Occasion(self.now, self.rows[customer].timed_at)
            self.look(number, customer, self.forest.customer(customer), occasion)

    def fire(self, number: int) -> None:
        for customer, row in self.rows.items():
            while row.due_at is not None and row.due_at <= self.now:
                occasion = Occasion(self.now, row.due_at, Cause.TIMER)
                self.look(number, customer, self.forest.customer(customer), occasion)

    def take(self, number: int, step: Step) -> None:
        self.now += step.days * DAY
        profile, other = PROFILES[step.one], PROFILES[step.other]
        match step.kind:
            case "purchase":
                self.statements.append(purchase(profile, self.now, 100_000 * (1 + step.other)))
                self.touched(number, {self.forest.root(profile)})
            case "join":
                before = {one: self.forest.root(one) for one in PROFILES}
                self.forest.joins[profile] = other
                self.moved(number, before)
            case "undo":
                before = {one: self.forest.root(one) for one in PROFILES}
                del self.forest.joins[profile]
                self.moved(number, before)
            case _:
                self.fire(number)

    def moved(self, number: int, before: Mapping[UUID, UUID]) -> None:
        changed = [one for one in PROFILES if self.forest.root(one) != before[one]]
        self.touched(number, {before[one] for one in changed} | {self.forest.root(one) for one in changed})


STEPS = st.lists(
    st.builds(
        Step,
        st.sampled_from([0, 1, 5, 20, 60]),
        st.sampled_from(["purchase", "purchase", "join", "join", "undo", "time"]),
        st.integers(0, 3),
        st.integers(0, 3),
    ),
    min_size=4,
    max_size=14,
)


def possible(steps: list[Step]) -> list[Step]:
    """The steps that can be taken: only a customer is joined, and only an active join is undone.

    A profile that left a customer while that was merged away does not come back: nobody could tell that it had left.
    """
    forest, away, parted, taken = Forest(), set[UUID](), set[UUID](), []
    for step in steps:
        one, other = PROFILES[step.one], PROFILES[step.other]
        if step.kind == "join":
            returns = one in parted and any(each in away for each in forest.path(other))
            if one in forest.joins or forest.root(other) == one or returns:
                continue
            forest.joins[one] = other
            away.add(one)
        elif step.kind == "undo":
            if one not in forest.joins:
                continue
            del forest.joins[one]
            parted.add(one)
        taken.append(step)
    return taken


def without_undone(steps: list[Step]) -> list[Step | None]:
    """The same steps; None in place of joins that are undone later, and of their undos."""
    kept: list[Step | None] = list(steps)
    active: dict[int, int] = {}
    for number, step in enumerate(steps):
        if step.kind == "join":
            active[step.one] = number
        elif step.kind == "undo":
            kept[number] = kept[active.pop(step.one)] = None
    return kept


def never_merged(steps: list[Step], looks: list[Look]) -> dict[UUID, Memory]:
    """The memories of a world without the undone joins, assessed at the same instants.

    A customer is assessed there when it was assessed here with the profiles that it has there.
    """
    world, place = World(), 0
    for number, (step, kept) in enumerate(zip(steps, without_undone(steps), strict=True)):
        world.now += step.days * DAY
        if kept is not None and kept.kind == "purchase":
            profile = PROFILES[kept.one]
            world.statements.append(purchase(profile, world.now, 100_000 * (1 + kept.other)))
        elif kept is not None and kept.kind == "join":
            world.forest.joins[PROFILES[kept.one]] = PROFILES[kept.other]
        while place < len(looks) and looks[place].step == number:
            look = looks[place]
            place += 1
            if look.profiles and look.profiles == world.forest.customer(look.customer):
                world.look(number, look.customer, look.profiles, look.occasion)
    return {customer: row.memory for customer, row in world.rows.items()}


def decided(memory: Memory) -> Memory:
    return replace(memory, kept=None, earlier=(), profiles=None)


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_undone_merges_leave_no_trace(drawn: list[Step]) -> None:
    steps = possible(drawn)
    ahead, joined = list(steps), Forest()
    for step in steps:
        if step.kind == "join":
            joined.joins[PROFILES[step.one]] = PROFILES[step.other]
        elif step.kind == "undo":
            del joined.joins[PROFILES[step.one]]
    ahead += [Step(1, "undo", PROFILES.index(one)) for one in sorted(joined.joins)[:1]]
    world = World()
    for number, step in enumerate(ahead):
        world.take(number, step)
    expected = never_merged(ahead, world.looks)
    for customer in PROFILES:
        profiles = world.forest.customer(customer)
        if any(one.profile_id in profiles for one in world.statements):
            assert decided(world.rows[customer].memory) == decided(expected[customer])


def taken(world: World, *steps: Step) -> World:
    for step in steps:
        world.take(len(world.looks), step)
    return world


def seldom_and_often() -> World:
    """Profile 1 buys every other month, profile 0 each day; both bought lately."""
    often = [Step(1, "purchase", 0, 3)] * 60
    return taken(World(), Step(0, "purchase", 1, 3), Step(60, "purchase", 1, 3), *often, Step(1, "purchase", 1, 3))


def test_an_alarm_that_expired_by_a_merge_is_pending_again() -> None:
    world = taken(seldom_and_often(), Step(40, "time"))
    row = world.rows[PROFILES[1]]
    before = row.memory.alarm_states
    taken(world, Step(0, "join", 0, 1))
    assert [one.state for one in row.memory.alarm_states] == ["expired"]
    taken(world, Step(0, "undo", 0))
    assert [one.state for one in row.memory.alarm_states] == ["pending"]
    assert row.memory.alarm_states == before


def test_an_alarm_that_rang_by_a_merge_is_withdrawn_by_its_undo() -> None:
    world = taken(seldom_and_often(), Step(0, "join", 0, 1))
    row = world.rows[PROFILES[1]]
    while not row.alarms:
        assert row.due_at is not None
        world.now = row.due_at
        taken(world, Step(0, "time"))
    [rang] = row.alarms
    assert row.segments >= {"silent"}
    taken(world, Step(0, "undo", 0))
    assert [(one.alarm.alarm_id, one.alarm.reason) for one in row.withdrawn] == [(rang, "unmerged")]
    assert (row.alarms, row.segments & {"silent"}) == (set(), set())


def test_memories_of_before_profiles_were_kept_are_of_the_present_ones() -> None:
    world = taken(World(), *[Step(10, "purchase", 0, 3)] * 3)
    memory = world.rows[PROFILES[0]].memory
    old = memory_of(text_of(replace(memory, profiles=None)).replace(',"profiles":null,"earlier":[]', ""))
    assert old.profiles is None
    assert old.of(PROFILES[:1]) == memory


def test_so_many_compositions_are_remembered_and_the_first_of_them_always() -> None:
    profiles = [derived_id("composition", number) for number in range(20)]
    memory = Memory(stage="prospect").of(profiles[:1])
    for size in range(2, 21):
        memory = replace(memory.of(profiles[:size]), stage=str(size))
    assert len(memory.earlier) == MOST_COMPOSITIONS
    assert memory.of(profiles[:1]).stage == "prospect"
    assert memory.of(profiles[:19]).stage == "19"
    assert memory.of(profiles[:5]).stage == "prospect"
    assert memory.of(profiles[1:2]).stage is None
