"""Facts for scoring, as the customer and interaction services would publish them, and their plain recomputation."""

import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from rapport_scoring.consumers import decode
from rapport_scoring.domain.assessment import Occasion, assess_facts
from rapport_scoring.domain.customer import CustomerFacts
from rapport_scoring.domain.memory import Memory
from rapport_scoring.domain.rules import Rules, shipped_rules
from rapport_scoring.recorded import Recorded, facts
from rapport_scoring.store import Recording
from rapport_shared.contracts.catalogue import (
    CUSTOMER_MERGED,
    CUSTOMER_UNMERGED,
    INTERACTION_RECORDED,
    INTERACTION_RETRACTED,
    PROFILE_CHANGED,
    UNIT_CHANGED,
    EventType,
)
from rapport_shared.contracts.codec import Event, Message, encode_event
from rapport_shared.contracts.customer import (
    CustomerMerged,
    CustomerUnmerged,
    ProfileChanged,
    ProfileMove,
    ProfileState,
    SourceState,
    UnitChanged,
    UnitState,
)
from rapport_shared.contracts.envelope import Envelope
from rapport_shared.contracts.ids import derived_id
from rapport_shared.contracts.interaction import Attribution, InteractionRecorded, InteractionRetracted
from rapport_shared.contracts.model import Contract
from rapport_shared.contracts.scoring import ScoreUpdated
from rapport_shared.contracts.touchpoints import DocumentKey
from rapport_shared.messaging.records import Partition, Record

_START = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class ScoringFacts:
    """A seeded world of profiles with commerce, merges and undos; `messages` is what was published of it."""

    seed: int
    profiles: int
    messages: list[Message] = field(default_factory=list)
    _recorded: dict[UUID, Recorded] = field(default_factory=dict)
    _retracted: set[UUID] = field(default_factory=set)
    _mapping: dict[UUID, tuple[int, UUID]] = field(default_factory=dict)
    _joins: list[tuple[UUID, UUID, UUID]] = field(default_factory=list)
    _made: Counter[str] = field(default_factory=Counter)
    _chance: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._chance = random.Random(self.seed)

    def profile(self, number: int) -> UUID:
        """The id of the n-th profile."""
        return derived_id("scoring-facts", self.seed, number)

    def happen(self, facts: int) -> list[Message]:
        """`facts` more things happen; answers their messages."""
        begin = len(self.messages)
        for _ in range(facts):
            roll = self._chance.random()
            if roll < 0.90:
                self._document()
            elif roll < 0.95:
                self._retract()
            else:
                self._join_or_undo()
        return self.messages[begin:]

    def expected(
        self, timed: Mapping[UUID, datetime] | None = None, rules: Rules | None = None
    ) -> dict[UUID, ScoreUpdated]:
        """The score of every customer that has one, by plain recomputation from all facts at once.

        `timed` are the instants that timers asked for; `rules` are what ships unless they are given. Alarms and
        triggers, which are decided once, are left out.
        """
        members: dict[UUID, list[UUID]] = {}
        for number in range(self.profiles):
            members.setdefault(self._customer(self.profile(number)), []).append(self.profile(number))
        asked, under = timed or {}, rules or shipped_rules()
        found = {customer: self._valued(customer, own, asked.get(customer), under) for customer, own in members.items()}
        return {customer: values_alone(one) for customer, one in found.items() if one is not None}

    def _valued(
        self, customer: UUID, profiles: list[UUID], timed_at: datetime | None, rules: Rules
    ) -> ScoreUpdated | None:
        # A profile counts as a part once something was heard of it.
        heard = [profile for profile in profiles if profile == customer or self._is_known(profile)]
        keys = self._keys(profiles)
        stand = [one.recording for event, one in self._recorded.items() if event not in self._retracted]
        own = facts([_row(one) for one in stand if one.profile_id in profiles])
        linked = facts([_row(one) for one in stand if one.profile_id not in profiles and one.key in keys])
        if own.latest is None:
            return None
        known = CustomerFacts(
            customer,
            tuple(sorted(heard)),
            statements=[*own.statements, *linked.statements],
            earliest=own.earliest,
            latest=own.latest,
            last_day=own.last_day,
        )
        return assess_facts(known, rules, Memory(), Occasion(own.latest, timed_at)).score

    def _keys(self, profiles: list[UUID]) -> set[DocumentKey]:
        """The documents of which one of the profiles ever had a statement."""
        recorded = (one.recording for one in self._recorded.values())
        return {one.key for one in recorded if one.key is not None and one.profile_id in profiles}

    def _is_known(self, profile: UUID) -> bool:
        stated = any(one.recording.profile_id == profile for one in self._recorded.values())
        return stated or profile in self._mapping

    def _customer(self, profile: UUID) -> UUID:
        return self._mapping.get(profile, (0, profile))[1]

    def _document(self) -> None:
        profile = self.profile(self._chance.randrange(self.profiles))
        number = str(self._chance.randrange(1, 6))
        net = self._chance.randrange(1, 100_000)
        lines = [{"line": "1", "quantity": "2", "net": net, "cost": self._chance.choice([None, net // 2])}]
        own = f"{profile.hex[:8]}-{number}"
        kind, data = self._chance.choice(
            [
                ("order.placed", {"order": own, "revision": self._made.total() + 1, "currency": "CNY", "net": net,
                                  "gross": net, "lines": lines}),
                ("order.cancelled", {"cancellation": own, "order": own, "revision": self._made.total() + 1}),
                ("order.returned", {"return": own, "order": own, "revision": self._made.total() + 1,
                                    "lines": [{"line": "1", "quantity": "1", "net": net // 3}]}),
                ("cost.reported", {"cost": own, "about": {"order": own}, "type": "freight", "amount": net // 50,
                                   "revision": self._made.total() + 1}),
            ]
        )  # fmt: skip
        self.state(profile, kind, data)

    def register(self, profile: UUID, registered_at: datetime, reported_at: datetime | None = None) -> None:
        """A profile is registered, by hand or for what happened at an instant."""
        own = derived_id("scoring-facts", self.seed, "register", self._count("register"))
        source = SourceState(system="erp", record=profile.hex, occurred_at=reported_at or registered_at, event_id=own)
        state = ProfileState(
            profile_id=profile,
            registered=True,
            registered_at=registered_at,
            created_at=registered_at,
            sources=(source,) if reported_at is not None else (),
        )
        self._publish(PROFILE_CHANGED, ProfileChanged(profile=state, changed=()), own, profile, profile, registered_at)

    def unit(self, path: str, time_zone: str, sequence: int = 1) -> None:
        """A unit is stated."""
        state = UnitState(path=path, name=path, time_zone=time_zone, currency="CNY", phone_region="CN")
        own = derived_id("scoring-facts", self.seed, "unit", path, sequence)
        self._publish(UNIT_CHANGED, UnitChanged(unit=state, changed=()), own, own, None, _START, sequence)

    def state(
        self,
        profile: UUID,
        kind: str,
        data: dict[str, Any],
        at: datetime | None = None,
        unit: str | None = None,
        *,
        historical: bool = False,
    ) -> UUID:
        """A document is recorded at `profile`, at an instant or any; answers the event's id."""
        number = self._count("document")
        event_id = derived_id("scoring-facts", self.seed, "document", number)
        at = at or _START + timedelta(seconds=self._chance.randrange(10_000_000))
        touchpoint = {
            "id": str(event_id),
            "channel": "erp",
            "kind": kind,
            "occurred_at": at.isoformat(),
            "source": {"system": "erp", "record": profile.hex},
            "data": data,
        }
        recorded = InteractionRecorded(
            interaction_id=event_id,
            touchpoint_id=event_id,
            profile_id=profile,
            attribution=Attribution(by="source"),
            kind=kind,
            channel="erp",
            touchpoint=touchpoint,
            unit=unit,
            historical=historical,
        )
        message = self._publish(INTERACTION_RECORDED, recorded, event_id, event_id, profile, at)
        fact = decode(as_record(message))
        assert isinstance(fact, Recorded)
        self._recorded[event_id] = fact
        return event_id

    def _retract(self) -> None:
        if not self._recorded:
            return
        event_id = self._chance.choice(list(self._recorded))
        self.retract(event_id)

    def retract(self, event_id: UUID) -> None:
        """The recording `event_id` no longer counts."""
        self._retracted.add(event_id)
        data = InteractionRetracted(
            interaction_id=event_id, touchpoint_id=event_id, event_id=event_id, reason="reported_in_error"
        )
        own = derived_id("scoring-facts", self.seed, "retraction", self._count("retraction"))
        self._publish(INTERACTION_RETRACTED, data, own, event_id, self._recorded[event_id].recording.profile_id, _START)

    def _join_or_undo(self) -> None:
        if self._joins and self._chance.random() < 0.4:
            self.undo(self._chance.choice(self._joins))
            return
        roots = sorted({self._customer(self.profile(number)) for number in range(self.profiles)})
        if len(roots) > 1:
            root, into = self._chance.sample(roots, 2)
            self.join(root, into)

    def join(self, root: UUID, into: UUID, at: datetime = _START) -> tuple[UUID, UUID, UUID]:
        """The customer `root` is joined under the customer `into`."""
        merge_id = derived_id("scoring-facts", self.seed, "merge", self._count("merge"))
        join = (merge_id, root, into)
        self._joins.append(join)
        merged = CustomerMerged(
            merge_id=merge_id,
            from_customer=root,
            into_profile=into,
            into_customer=into,
            reason="manual",
            moves=self._moves(),
        )
        self._publish(CUSTOMER_MERGED, merged, derived_id(merge_id, 1), merge_id, None, at)
        return join

    def undo(self, join: tuple[UUID, UUID, UUID], at: datetime = _START) -> None:
        """An active join is undone."""
        self._joins.remove(join)
        data = CustomerUnmerged(merge_id=join[0], moves=self._moves())
        self._publish(CUSTOMER_UNMERGED, data, derived_id(join[0], 2), join[0], None, at)

    def _moves(self) -> tuple[ProfileMove, ...]:
        """Every profile whose root the active joins have changed, with its next mapping sequence."""
        above = {root: into for _, root, into in self._joins}
        moves = []
        for number in range(self.profiles):
            profile = self.profile(number)
            root = profile
            while root in above:
                root = above[root]
            sequence, before = self._mapping.get(profile, (0, profile))
            if root != before:
                self._mapping[profile] = (sequence + 1, root)
                moves.append(ProfileMove(profile_id=profile, mapping_seq=sequence + 1, customer_id=root))
        return tuple(moves)

    def _publish(
        self,
        kind: EventType,
        data: Contract,
        event_id: UUID,
        subject: UUID,
        profile: UUID | None,
        at: datetime,
        sequence: int = 1,
    ) -> Message:
        touchpoint_id = data.touchpoint_id if isinstance(data, InteractionRecorded) else event_id
        envelope = Envelope(
            id=event_id,
            source=kind.source,
            type=kind.wire,
            subject=str(subject),
            occurred_at=at,
            recorded_at=at,
            sequence=sequence,
            profile_id=profile,
            touchpoint_id=touchpoint_id if touchpoint_id != event_id else None,
        )
        message = encode_event(Event(envelope, kind, data))
        self.messages.append(message)
        return message

    def _count(self, what: str) -> int:
        self._made[what] += 1
        return self._made[what]


def as_record(message: Message) -> Record:
    """A message as a consumer would meet it."""
    headers = {name: value.decode() for name, value in message.headers}
    return Record(Partition(message.topic, 0), 0, message.key, headers, message.value, _START)


def values_alone(score: ScoreUpdated) -> ScoreUpdated:
    """A score without what is decided once and depends on when it was."""
    return score.model_copy(update={"alarms": (), "triggers": ()})


def _row(recording: Recording) -> Any:
    key = recording.key
    named = {"system": key and key.system, "family": key and key.family, "number": key and key.number}
    return {**asdict(recording), **named, "time_zone": None}
