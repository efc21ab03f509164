"""All that is known of one customer: the facts of its profiles."""

import hashlib
from collections.abc import Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, tzinfo
from typing import Any
from uuid import UUID

from rapport_scoring.domain.facts import Answer, AssetEvent, Attributes, Case, Contact, WalletStatement
from rapport_scoring.domain.ledger.documents import Statement


@dataclass(frozen=True, slots=True)
class CustomerFacts:
    """A customer, made of `profiles`. Each list may be in any order.

    `statements` may hold documents of others too, which name the customer's. `earliest` and `latest` are the first
    and last event time of what is its own, `last_day` the last day among them as its units count days; None where
    nothing is known. `history` are the events that were reported as history, and cause nothing; `historical` says
    that the latest is one. `zone` is that in which the customer's unit counts days.
    """

    customer_id: UUID
    profiles: tuple[UUID, ...]
    statements: Sequence[Statement] = ()
    contacts: Sequence[Contact] = ()
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
    history: Set[UUID] = frozenset()
    historical: bool = False

    @property
    def own(self) -> frozenset[UUID]:
        """The customer's profiles."""
        return frozenset(self.profiles)

    @property
    def known(self) -> bool:
        """Whether there is anything to say of the customer."""
        return self.latest is not None

    @property
    def instants(self) -> list[datetime]:
        """When facts of the customer happened, each instant once, ascending."""
        happened = {fact.occurred_at for facts in self._dated() for fact in facts}
        return sorted(happened | {case.opened_at for case in self.cases})

    def until(self, at: datetime) -> "CustomerFacts":
        """What had happened by an instant, of what is known now."""
        found = self._dated(at)
        statements, contacts, answers, wallets, assets = found
        own = [fact for facts in found for fact in facts if fact.profile_id in self.own]
        cases = [_case_at(case, at) for case in self.cases if case.opened_at <= at]
        latest = max([fact.occurred_at for fact in own] + [case.opened_at for case in cases], default=None)
        return replace(
            self,
            statements=statements,
            contacts=contacts,
            answers=answers,
            cases=cases,
            wallets=wallets,
            asset_events=assets,
            latest=latest,
            last_day=latest.astimezone(self.zone).date() if latest is not None else None,
        )

    def _dated(self, until: datetime | None = None) -> tuple[Sequence[Any], ...]:
        """Every list of facts that have an instant, up to one."""
        lists = (self.statements, self.contacts, self.answers, self.wallets, self.asset_events)
        return tuple([fact for fact in facts if until is None or fact.occurred_at <= until] for facts in lists)

    @property
    def digest(self) -> str:
        """SHA-256 over the ids of the events of all facts: the same facts give the same digest, in any order."""
        return hashlib.sha256(b"".join(event.bytes for event in self._events())).hexdigest()

    def _events(self) -> list[UUID]:
        lists: tuple[Sequence[Statement | Contact | Answer | Case | WalletStatement | AssetEvent], ...] = (
            self.statements,
            self.contacts,
            self.answers,
            self.cases,
            self.wallets,
            self.asset_events,
        )
        stated = {fact.event_id for facts in lists for fact in facts}
        return sorted(stated | {attribute.event_id for attribute in self.attributes.values()})


def _case_at(case: Case, at: datetime) -> Case:
    """A case as it stood at an instant, as far as is known: what was resolved later was open."""
    if case.resolved_at is None or case.resolved_at <= at:
        return case
    return replace(case, open=True, resolved_at=None)
