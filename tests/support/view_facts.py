"""Facts for the unified view: all that four services would publish of some profiles, merges and undos included."""

import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from typing import Any
from uuid import UUID

from rapport_gateway.view import identity, quality, relations
from rapport_gateway.view.facts import Fact, read_fact
from rapport_gateway.view.sections import RENDERED, SOURCES, assess, fold_all, places_of, render
from rapport_shared.contracts.catalogue import (
    ALARM_RAISED,
    ASSET_CHANGED,
    CANDIDATE_CHANGED,
    INTERACTION_RECORDED,
    INTERACTION_RETRACTED,
    PROFILE_CHANGED,
    SCORE_UPDATED,
    SEGMENT_ENTERED,
    STAGE_CHANGED,
    TICKET_OPENED,
    TICKET_RESOLVED,
    TICKET_TRANSITIONED,
    EventType,
)
from rapport_shared.contracts.codec import Message
from rapport_shared.contracts.customer import (
    AssetChanged,
    AssetHolding,
    AssetKey,
    AssetService,
    AssetState,
    CandidateChanged,
    CandidateState,
    EndedRelation,
    FieldCandidate,
    ProfileChanged,
    ProfileState,
    RelationState,
)
from rapport_shared.contracts.envelope import canonical_json
from rapport_shared.contracts.ids import derived_id
from rapport_shared.contracts.interaction import Attribution, InteractionRecorded, InteractionRetracted
from rapport_shared.contracts.model import Contract
from rapport_shared.contracts.money import Amount
from rapport_shared.contracts.scoring import (
    AlarmRaised,
    AlarmState,
    CommerceFigures,
    ContemporaryValue,
    PotentialValue,
    ScoreUpdated,
    SegmentEntered,
    StageChanged,
    StageState,
    TierState,
)
from rapport_shared.contracts.ticket import TicketChange, TicketOpened, TicketResolved, TicketState, TicketTransitioned
from tests.support.scoring_facts import ScoringFacts, as_record

_START = datetime.fromisoformat("2026-01-01T00:00:00Z")


@dataclass(slots=True)
class ViewFacts(ScoringFacts):
    """Beside commerce, merges and undos: registers, contacts in conversations, retracted contacts, tickets, scores."""

    _sequences: dict[UUID, int] = field(default_factory=dict)
    _tickets: list[TicketState] = field(default_factory=list)
    _contacts: list[tuple[UUID, int, datetime, InteractionRecorded]] = field(default_factory=list)

    def happen(self, facts: int) -> list[Message]:
        """`facts` more things happen; answers their messages."""
        begin = len(self.messages)
        happenings = (
            self._suspect,
            self._register,
            self._asset,
            self._contact,
            self._contact,
            self._end_contact,
            self._ticket,
            self._score,
        )
        for _ in range(facts):
            if self._chance.random() < 0.4:
                ScoringFacts.happen(self, 1)
            else:
                self._chance.choice(happenings)()
        return self.messages[begin:]

    def _any_profile(self) -> UUID:
        return self.profile(self._chance.randrange(self.profiles))

    def _at(self) -> datetime:
        return _START + timedelta(seconds=self._chance.randrange(10_000_000))

    def _next(self, aggregate: UUID) -> int:
        self._sequences[aggregate] = self._sequences.get(aggregate, 0) + 1
        return self._sequences[aggregate]

    def _new_id(self, what: str) -> UUID:
        return derived_id("view-facts", self.seed, what, self._count(what))

    def _register(self) -> None:
        profile, at, event_id = self._any_profile(), self._at(), self._new_id("register")
        name = FieldCandidate(
            value={"display": self._chance.choice(["王小明", "李娜", "Anna Weiß"])},
            source="crm",
            occurred_at=at,
            event_id=event_id,
            manual=self._chance.random() < 0.3,
        )
        register = ProfileState(
            profile_id=profile,
            registered=True,
            fields={"name": (name,)},
            relations=tuple(self._relation(at, event_id) for _ in range(self._chance.randrange(4))),
            ended_relations=self._ended(at, event_id),
            created_at=_START,
        )
        data = ProfileChanged(profile=register, changed=("fields",))
        self._publish(PROFILE_CHANGED, data, event_id, profile, profile, at, self._next(profile))

    def _relation(self, at: datetime, event_id: UUID) -> RelationState:
        """To a profile of this world or, at times, to one that nobody has heard of."""
        number = self._chance.randrange(self.profiles + 1)
        return RelationState(
            type=self._chance.choice(["employee_of", "member_of", "referred_by"]),
            to={"system": "crm", "record": str(number)},
            profile_id=self.profile(number),
            source=self._chance.choice(["crm:1", "erp:2"]),
            manual=self._chance.random() < 0.2,
            occurred_at=at + timedelta(seconds=self._chance.randrange(3)),
            event_id=event_id,
        )

    def _ended(self, at: datetime, event_id: UUID) -> tuple[EndedRelation, ...]:
        ended = EndedRelation(type="member_of", profile_id=self._any_profile(), occurred_at=at, event_id=event_id)
        return (ended,) if self._chance.random() < 0.3 else ()

    def _suspect(self) -> None:
        one, other = sorted((self._any_profile(), self._any_profile()))
        candidate_id, event_id = derived_id("candidate", one, other), self._new_id("suspect")
        candidate = CandidateState(
            candidate_id=candidate_id,
            one=one,
            other=other,
            state=self._chance.choice(["open", "open", "never", "withdrawn"]),
            cause="matching",
            probability=self._chance.choice([0.25, 0.875, None]),
        )
        data = CandidateChanged(candidate=candidate, changed=("state",))
        self._publish(CANDIDATE_CHANGED, data, event_id, candidate_id, None, self._at(), self._next(candidate_id))

    def _asset(self) -> None:
        """A vehicle is as its register says: holders that come and go, some of them said in error."""
        asset_id, event_id = (
            derived_id("view-facts", self.seed, "asset", self._chance.randrange(3)),
            self._new_id("car"),
        )
        holdings = [
            AssetHolding(profile_id=self._any_profile(), from_at=self._at(), event_id=event_id)
            for _ in range(self._chance.randrange(3))
        ]
        service = AssetService(work_order="A-1", occurred_at=self._at(), event_id=event_id, mileage=1000)
        state = AssetState(
            asset_id=asset_id,
            keys=(AssetKey(type="plate", key=self._chance.choice(["k1", "k2"]), normal="BAB1"),),
            type="vehicle",
            holdings=tuple(sorted(holdings, key=lambda holding: holding.from_at)),
            # whoever held it before: the register of the customer service knows all of them
            former_holders=tuple(self.profile(number) for number in range(self.profiles)),
            services=(service,) if self._chance.random() < 0.5 else (),
        )
        data = AssetChanged(asset=state, changed=("holdings",))
        self._publish(ASSET_CHANGED, data, event_id, asset_id, self._any_profile(), self._at(), self._next(asset_id))

    def _contact(self) -> None:
        profile, at, touchpoint_id = self._any_profile(), self._at(), self._new_id("contact")
        conversation = derived_id("view-facts", self.seed, profile, self._chance.randrange(4))
        kind, data = self._chance.choice(
            [
                ("call.ended", {"direction": "inbound", "subject": "保养预约", "promises": self._promises(at)}),
                ("chat.message", {"direction": "outbound", "text": "Gerne."}),
                ("survey.answered", {"survey": "s", "score": 5, "promises": self._promises(at)}),
            ]
        )
        self._record(profile, conversation, touchpoint_id, kind, data, at)

    def _promises(self, at: datetime) -> list[dict[str, Any]]:
        """Some promises, due at instants that are written in different zones."""
        due = [at + timedelta(days=self._chance.randrange(5)) for _ in range(self._chance.randrange(3))]
        zones = [timezone(timedelta(hours=self._chance.choice([0, 8, -5]))) for _ in due]
        return [
            {"text": "回电", "due_at": one.astimezone(zone).isoformat()} for one, zone in zip(due, zones, strict=True)
        ]

    def _record(
        self, profile: UUID, entry_of: UUID, touchpoint_id: UUID, kind: str, data: Any, at: datetime, time: int = 1
    ) -> None:
        """A touchpoint is recorded, for the `time`-th time."""
        touchpoint = {
            "id": str(touchpoint_id),
            "channel": "phone",
            "kind": kind,
            "occurred_at": at.isoformat(),
            "data": data,
        }
        recorded = InteractionRecorded(
            interaction_id=entry_of,
            touchpoint_id=touchpoint_id,
            profile_id=profile,
            attribution=Attribution(by="identifier"),
            kind=kind,
            channel="phone",
            touchpoint=touchpoint,
        )
        event_id = touchpoint_id if time == 1 else derived_id(touchpoint_id, time)
        self._contacts.append((event_id, time, at, recorded))
        self._publish(INTERACTION_RECORDED, recorded, event_id, entry_of, profile, at, self._next(entry_of))

    def _end_contact(self) -> None:
        if not self._contacts:
            return
        event_id, time, at, recorded = self._contacts.pop(self._chance.randrange(len(self._contacts)))
        data = InteractionRetracted(
            interaction_id=recorded.interaction_id,
            touchpoint_id=recorded.touchpoint_id,
            event_id=event_id,
            reason="reported_in_error",
        )
        own, entry_of = self._new_id("end"), recorded.interaction_id
        self._publish(INTERACTION_RETRACTED, data, own, entry_of, recorded.profile_id, _START, self._next(entry_of))
        if self._chance.random() < 0.4:  # it was the wrong customer's
            data_of, kind, touchpoint_id = recorded.touchpoint["data"], recorded.kind, recorded.touchpoint_id
            self._record(self._any_profile(), entry_of, touchpoint_id, kind, data_of, at, time + 1)

    def _ticket(self) -> None:
        event_id, at = self._new_id("ticket"), self._at()
        data: TicketChange
        known = [ticket for ticket in self._tickets if ticket.open]
        if not known or self._chance.random() < 0.4:
            ticket = TicketState(
                ticket_id=event_id,
                number=f"C-{len(self._tickets)}",
                kind=self._chance.choice(["complaint", "service"]),
                profile_id=self._any_profile(),
                state="open",
                open=True,
                subject="没有回电",
                opened_at=at,
                changed_at=at,
            )
            self._tickets.append(ticket)
            kind, data = TICKET_OPENED, TicketOpened(ticket=ticket, changed=())
        else:
            ticket = self._chance.choice(known)
            self._tickets.remove(ticket)
            if self._chance.random() < 0.5:
                ticket = ticket.model_copy(update={"state": "in_progress"})
                kind, data = TICKET_TRANSITIONED, TicketTransitioned(ticket=ticket, changed=("state",))
            else:
                ticket = ticket.model_copy(update={"state": "resolved", "open": False, "resolved_at": at})
                kind, data = TICKET_RESOLVED, TicketResolved(ticket=ticket, changed=("state",))
            self._tickets.append(ticket)
        sequence = self._next(ticket.ticket_id)
        self._publish(kind, data, event_id, ticket.ticket_id, ticket.profile_id, at, sequence)

    def _score(self) -> None:
        """A score, or something that scoring noticed: both are numbered together, and belong to no profile."""
        customer = self._any_profile()
        data = self._value(customer)
        self._of_score(customer, SCORE_UPDATED, data)
        if self._chance.random() < 0.3:
            raised = next(alarm for alarm in data.alarms if alarm.state == "raised")
            self._of_score(customer, ALARM_RAISED, AlarmRaised(customer_id=customer, alarm=raised))
        if self._chance.random() < 0.3:
            stage = StageChanged(customer_id=customer, before=None, after="loyal", since=None, effective=True)
            self._of_score(customer, STAGE_CHANGED, stage)
        for segment in data.segments:
            cause = {"policy_version": 1, "condition": "/when", "reading": "window", "effective": True}
            self._of_score(customer, SEGMENT_ENTERED, SegmentEntered(customer_id=customer, segment=segment, **cause))

    def _of_score(self, customer: UUID, kind: EventType, data: Contract) -> None:
        sequence = self._next(derived_id("score", customer))
        self._publish(kind, data, self._new_id("score"), customer, None, _START + timedelta(seconds=sequence), sequence)

    def _value(self, customer: UUID) -> ScoreUpdated:
        amount = Amount(amount=self._chance.randrange(10_000), currency="CNY")
        worth = ContemporaryValue(lifetime=(amount,), lifetime_parts={"revenue": (amount,)}, last_90_days=(amount,))
        return ScoreUpdated(
            customer_id=customer,
            as_of=_START,
            policy_version=1,
            parameter_version=1,
            profiles=self._scored(customer),
            contemporary=worth,
            lines=1,
            facts_digest="",
            commerce=self._figures(amount),
            potential=PotentialValue(value=amount) if self._chance.random() < 0.8 else None,
            total=amount,
            tier=TierState(name=self._chance.choice(["gold", "none"]), measure="total", figure=amount),
            stage=StageState(name="developing", since=_START.date()),
            alarms=tuple(self._alarm(customer, state) for state in ("pending", "raised", "expired")),
            segments=tuple(sorted(self._chance.sample(["big", "quiet", "new"], self._chance.randrange(3)))),
        )

    def _scored(self, customer: UUID) -> tuple[UUID, ...]:
        """The customer's profiles now or, at times, those of some other moment."""
        others = {
            profile for number in range(self.profiles) if self._customer(profile := self.profile(number)) == customer
        }
        if self._chance.random() < 0.3:
            others = {self._any_profile()}
        return tuple(sorted({customer, *others}))

    def _figures(self, amount: Amount) -> CommerceFigures | None:
        """What the customer's documents amount to; a score of before may lack it."""
        figures = CommerceFigures(
            orders=self._chance.randrange(9),
            revenue=(amount,),
            last_order_at=self._at(),
            waiting=self._chance.randrange(2),
        )
        return figures if self._chance.random() < 0.9 else None

    def _alarm(self, customer: UUID, state: Any) -> AlarmState:
        at = self._at()
        alarm_id = derived_id("alarm", customer, at)
        return AlarmState(alarm_id=alarm_id, kind="silence", episode=at.date(), due_at=at, state=state)


Sections = dict[UUID, dict[str, str]]
"""The rendered sections of each customer that is one."""


def sections_of(messages: Iterable[Message]) -> Sections:
    """The sections of every customer by plain recomputation: all facts at once, each counted once."""
    facts = {fact.event_id: fact for message in messages if (fact := read_fact(as_record(message))) is not None}
    ended = {UUID(fact.data["event_id"]) for fact in facts.values() if fact.type == "interaction.retracted"}
    mended = {fact.data["interaction_id"] for fact in facts.values() if fact.type == "interaction.retracted"}
    partials = fold_all(_opened_again([fact for fact in facts.values() if fact.event_id not in ended], mended))
    members = _members(list(facts.values()))
    found: Sections = {}
    for customer, profiles in members.items():
        found[customer] = {}
        for section in RENDERED:
            own = {
                (place.profile_id, place.item): state
                for place, state in partials.items()
                if place.section == SOURCES[section.NAME] and place.profile_id in profiles
            }
            found[customer][section.NAME] = render(section.NAME, customer, profiles, own)
        registers, candidates = (
            {(place.profile_id, place.item): state for place, state in partials.items() if place.section == name}
            for name in (identity.NAME, quality.NAME)
        )
        known = {profile: state["profile"] for (profile, _), state in registers.items()}
        section = json.loads(found[customer][identity.NAME]) | related_of(customer, members, known)
        found[customer][identity.NAME] = canonical_json(section).decode()
        own_registers, own_candidates = (
            {where: state for where, state in kept.items() if where[0] in profiles} for kept in (registers, candidates)
        )
        found[customer][quality.NAME] = assess(profiles, found[customer], own_registers, own_candidates)
    return found


def _opened_again(facts: Sequence[Fact], mended: Collection[str]) -> Iterator[Fact]:
    """`facts`, where the first entry of each interaction in `mended` at a profile is taken for its opening one."""
    opening: dict[tuple[UUID | None, str], int] = {}
    for fact in facts:
        if fact.type == "interaction.recorded" and fact.data["interaction_id"] in mended:
            place = fact.profile_id, fact.data["interaction_id"]
            opening[place] = min(fact.sequence, opening.get(place, fact.sequence))
    for fact in facts:
        first = opening.get((fact.profile_id, fact.data.get("interaction_id", "")))
        known = first is None or fact.type != "interaction.recorded"
        yield fact if known else replace(fact, sequence=1 if fact.sequence == first else fact.sequence + 1)


def related_of(
    customer: UUID, members: Mapping[UUID, Sequence[UUID]], registers: Mapping[UUID, dict[str, Any]]
) -> dict[str, Any]:
    """What relates a customer to others, by looking at every register there is."""
    whose = {profile: one for one, profiles in members.items() for profile in profiles}
    every = [
        (whose[profile], relation, whose.get(relation.to_profile, relation.to_profile))
        for profile, register in registers.items()
        for relation in relations.relations_of(register)
    ]
    pairs = {(relation.type, source, target) for source, relation, target in every}
    outgoing = [
        relations.Outgoing(relation, target, (relation.type, target, source) in pairs)
        for source, relation, target in every
        if source == customer
    ]
    stated: dict[tuple[str, UUID], datetime] = {}
    for source, relation, target in every:
        if target == customer != source and relation.stated_at is not None:
            place = (relation.type, source)
            stated[place] = max(stated.get(place, relation.stated_at), relation.stated_at)
    totals = Counter(type_ for type_, _ in stated)
    incoming = [relations.Incoming(type_, source, at, totals[type_]) for (type_, source), at in stated.items()]
    names = {
        one: identity.name_of([registers[profile] for profile in profiles if profile in registers])
        for one, profiles in members.items()
    }
    return relations.shown(customer, relations.Related(outgoing, incoming), names)


def _members(facts: list[Fact]) -> dict[UUID, list[UUID]]:
    """The profiles of each customer: of a profile's moves the one with the highest sequence stands."""
    mapping: dict[UUID, tuple[int, UUID]] = {}
    for fact in facts:
        if fact.profile_id is not None:
            mapping.setdefault(fact.profile_id, (0, fact.profile_id))
        for place in places_of(fact):
            mapping.setdefault(place.profile_id, (0, place.profile_id))
        for move in fact.data.get("moves", ()) if fact.type in ("customer.merged", "customer.unmerged") else ():
            profile, customer = UUID(move["profile_id"]), UUID(move["customer_id"])
            mapping.setdefault(customer, (0, customer))
            mapping[profile] = max(mapping.get(profile, (0, profile)), (move["mapping_seq"], customer))
    members: dict[UUID, list[UUID]] = {}
    for profile in sorted(mapping):
        members.setdefault(mapping[profile][1], []).append(profile)
    return members
