"""What an assessment looks at of a customer: sums of its documents and contacts, and what is kept as it is.

It is read from kept sums, at a cost that does not grow with the customer's history, or folded from the facts
themselves, for whoever asks about the past. Both ways give the same.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, tzinfo
from typing import TypeVar
from uuid import UUID

from rapport_scoring.domain.contributions import (
    Contribution,
    Contributions,
    asset_contribution,
    case_contribution,
    contact_contribution,
    document_contributions,
    event_digest,
    other_contribution,
)
from rapport_scoring.domain.customer import CustomerFacts
from rapport_scoring.domain.facts import Answer, AssetEvent, Attributes, Case, Contact, WalletStatement
from rapport_scoring.domain.figures import CustomerFigures, figures_of
from rapport_scoring.domain.ledger.documents import counting, standing
from rapport_scoring.domain.ledger.purchases import Purchase, purchases
from rapport_scoring.domain.ledger.reckoning import reckon
from rapport_scoring.domain.sums import DIGEST
from rapport_scoring.domain.value_policy import ValuePolicy

_Fact = TypeVar("_Fact", Contact, AssetEvent, Answer, WalletStatement)


@dataclass(frozen=True, slots=True)
class Streams:
    """Single facts, for segments that ask about windows of them; empty where no segment does."""

    contacts: Sequence[Contact] = ()
    purchases: Sequence[Purchase] = ()
    answers: Sequence[Answer] = ()
    cases: Sequence[Case] = ()


@dataclass(frozen=True, slots=True)
class CustomerState:
    """A customer, made of `profiles`, as its assessment sees it.

    `zone` is that in which the customer's unit counts days. `answers` and `cases` are the newest. `earliest` and
    `latest` are the first and last event time of the customer's facts, `last_day` the last day among them as their
    units count days; None where nothing is known. `historical` says that the latest fact was reported as history.
    `begins_on` is the next day on which a document begins to count.
    """

    customer_id: UUID
    profiles: tuple[UUID, ...]
    figures: CustomerFigures = field(default_factory=CustomerFigures)
    answers: Sequence[Answer] = ()
    cases: Sequence[Case] = ()
    wallets: Sequence[WalletStatement] = ()
    asset_events: Sequence[AssetEvent] = ()
    attributes: Attributes = field(default_factory=dict)
    unit: str | None = None
    zone: tzinfo = UTC
    earliest: datetime | None = None
    latest: datetime | None = None
    last_day: date | None = None
    historical: bool = False
    begins_on: date | None = None
    streams: Streams = field(default_factory=Streams)

    @property
    def known(self) -> bool:
        """Whether there is anything to say of the customer."""
        return self.latest is not None

    @property
    def digest(self) -> str:
        """Says which events the state rests on: the same facts give the same digest, in any order."""
        stated = {attribute.event_id for attribute in self.attributes.values()}
        total = self.figures.ever.get(DIGEST, 0) + sum(event_digest(event_id) for event_id in stated)
        return f"{total % (1 << 256):064x}"


def state_of(facts: CustomerFacts, policy: ValuePolicy, on: date) -> CustomerState:
    """The state of a customer at the end of a day, folded from its facts: of what is dated later nothing counts."""
    stand = standing(facts.statements)
    counted = counting(stand, on)
    contacts = [contact for contact in _once(facts.contacts) if contact.day <= on]
    found = document_contributions(counted, facts.statements, policy.ledger, facts.history)
    for contact in contacts:
        _enter(found, contact, contact_contribution(contact, policy.ledger, policy.contacts.half_life_days))
    for event in _once(facts.asset_events):
        if event.day <= on:
            _enter(found, event, asset_contribution(event))
    for answer in _once(facts.answers):
        _enter(found, answer, other_contribution(answer))
    for wallet in _once(facts.wallets):
        _enter(found, wallet, other_contribution(wallet))
    for case in {case.ticket_id: case for case in facts.cases}.values():
        if case.opened_at.astimezone(facts.zone).date() <= on:
            _enter(found, case, case_contribution(case))
    own = facts.own
    made = purchases(reckon(counted, policy.ledger).lines, counted)
    return CustomerState(
        customer_id=facts.customer_id,
        profiles=facts.profiles,
        figures=figures_of(found, own, [contact.day for contact in contacts]),
        answers=facts.answers,
        cases=facts.cases,
        wallets=facts.wallets,
        asset_events=facts.asset_events,
        attributes=facts.attributes,
        unit=facts.unit,
        zone=facts.zone,
        earliest=facts.earliest,
        latest=facts.latest,
        last_day=facts.last_day,
        historical=facts.historical,
        begins_on=min((one.day for one in stand if one.day > on), default=None),
        streams=Streams(contacts, [one for one in made if one.profile_id in own], facts.answers, facts.cases),
    )


def _enter(
    found: Contributions, fact: Contact | AssetEvent | Answer | WalletStatement | Case, entry: Contribution
) -> None:
    found[fact.event_id, fact.profile_id] = entry


def _once(facts: Iterable[_Fact]) -> list[_Fact]:
    return list({fact.event_id: fact for fact in facts}.values())
