"""Keeping the sums of profiles, in the caller's transaction: what facts that come or go change, and no more.

Of documents, those that are settled together are computed at once, and replace what they contributed before. The sums
of a profile are made from all its facts where there are none yet, or where they were made by other rules.
"""

import hashlib
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final
from uuid import UUID

import orjson

from rapport_scoring import store
from rapport_scoring.domain.contributions import (
    EVER,
    Contribution,
    Contributions,
    asset_contribution,
    case_contribution,
    contact_contribution,
    document_contributions,
    other_contribution,
)
from rapport_scoring.domain.figures import has_purchase
from rapport_scoring.domain.ledger.documents import Statement, begun, standing
from rapport_scoring.domain.ledger.policy import LedgerPolicy
from rapport_scoring.domain.sums import Sums, add
from rapport_scoring.domain.value_policy import ValuePolicy
from rapport_scoring.recorded import (
    Kept,
    facts,
    is_contact,
    is_document,
    local_day,
    names_used,
    statement_of,
)
from rapport_scoring.store.registers import ChangedCase, case_of
from rapport_scoring.store.sums import ProfileTotal
from rapport_shared.contracts.touchpoints import DocumentKey
from rapport_shared.database import Connection

FORM: Final = 1
"""To be raised when the same facts come to contribute something else, so that all sums are made again."""


@dataclass(frozen=True, slots=True)
class SumRules:
    """The rules by which facts contribute. `name` is the same for the same rules, in every process."""

    ledger: LedgerPolicy
    half_life_days: int
    name: str

    @classmethod
    def of(cls, policy: ValuePolicy) -> "SumRules":
        """Those of a policy."""
        half_life = policy.contacts.half_life_days
        text = orjson.dumps([FORM, half_life, policy.ledger.model_dump(mode="json")], option=orjson.OPT_SORT_KEYS)
        return cls(policy.ledger, half_life, hashlib.blake2b(text, digest_size=12).hexdigest())


@dataclass(frozen=True, slots=True)
class Changes:
    """Facts that came (`new`) and that count no more (`ended`), each as it is kept; and tickets that changed."""

    new: Sequence[Kept] = ()
    ended: Sequence[Kept] = ()
    cases: Sequence[ChangedCase] = ()

    @property
    def profiles(self) -> set[UUID]:
        """The profiles of these facts."""
        found = {row["profile_id"] for row in (*self.new, *self.ended)}
        return (
            found
            | {changed.after.profile_id for changed in self.cases}
            | {changed.before.profile_id for changed in self.cases if changed.before is not None}
        )


async def keep_sums(
    connection: Connection,
    changes: Changes,
    rules: SumRules,
    profiles: Iterable[UUID] = (),
    begun_now: Iterable[DocumentKey] = (),
) -> set[UUID]:
    """Changes the sums that facts change; answers the profiles that have to do with it.

    The sums of `profiles` are made where they are not; `begun_now` are the names of documents that begin to count.
    Locks the totals of profiles, then names of documents, each sorted. May be repeated with facts that are known.
    """
    work = _Work(connection, rules)
    await work.open(sorted(changes.profiles | set(profiles)))
    await work.take(changes)
    await work.settle(begun_now)
    await work.save()
    return set(work.totals)


@dataclass(slots=True)
class _Work:
    """The totals at hand, and what is added to them."""

    connection: Connection
    rules: SumRules
    totals: dict[UUID, ProfileTotal] = field(default_factory=dict)
    fresh: set[UUID] = field(default_factory=set)
    """The profiles whose sums are made from nothing."""
    rows: dict[UUID, Kept] = field(default_factory=dict)
    """The statements at hand, by event."""
    seeds: set[DocumentKey] = field(default_factory=set)
    """Names from which the documents are found that are settled anew."""
    ended: set[UUID] = field(default_factory=set)
    delta: defaultdict[UUID, dict[date, Sums]] = field(default_factory=lambda: defaultdict(dict))

    async def open(self, profiles: Sequence[UUID]) -> None:
        """Locks the totals of profiles, and takes all facts of those whose sums have to be made."""
        wanted = sorted(set(profiles) - self.totals.keys())
        if not wanted:
            return
        found = await store.lock_totals(self.connection, wanted)
        self.totals |= found
        unmade = sorted(profile for profile, total in found.items() if total.built != self.rules.name)
        if unmade:
            await self._make(unmade)

    async def _make(self, profiles: Sequence[UUID]) -> None:
        self.fresh.update(profiles)
        for profile in profiles:
            self.totals[profile] = ProfileTotal(profile, self.rules.name, days_changed=True)
        await store.forget_days(self.connection, profiles)
        await self._enter(await store.recordings_of(self.connection, profiles))
        for row in await store.cases_of(self.connection, profiles):
            case = case_of(row)
            self._add(case.profile_id, case_contribution(case))
            _note_case(self.totals[case.profile_id], case.opened_at, row["changed_at"])

    async def take(self, changes: Changes) -> None:
        """Takes what came and went. Of a profile whose sums are made from nothing, it is among its facts."""
        passing = {row["event_id"] for row in changes.ended} & {row["event_id"] for row in changes.new}
        came = [row for row in changes.new if row["event_id"] not in passing]
        await self._enter([row for row in came if row["profile_id"] not in self.fresh])
        went = [row for row in changes.ended if row["event_id"] not in passing]
        self._leave(went)
        for changed in changes.cases:
            self._change_case(changed)
        shorter = sorted({row["profile_id"] for row in went if self._bounds(row)} - self.fresh)
        if shorter:
            await self._bound_again(shorter)

    async def _enter(self, rows: Sequence[Kept]) -> None:
        for row in rows:
            total = self.totals[row["profile_id"]]
            contact = is_contact(row)
            total.happened(row["occurred_at"], local_day(row), historical=row["historical"], contact=contact)
        documents = [row for row in rows if is_document(row)]
        self._count([row for row in rows if not is_document(row)], 1)
        if documents:
            statements = {row["event_id"]: statement_of(row) for row in documents}
            uses = {event_id: names_used(statement) for event_id, statement in statements.items()}
            await store.use_names(self.connection, uses)
            ahead = {
                row["event_id"]: statements[row["event_id"]].day
                for row in documents
                if statements[row["event_id"]].day > local_day(row)
            }
            changed = {row["event_id"]: ahead.get(row["event_id"]) for row in documents}
            if ahead or any(row["begins_on"] is not None for row in documents):
                await store.set_beginnings(self.connection, changed)
            self.seeds |= {name for names in uses.values() for name in names}

    def _leave(self, rows: Sequence[Kept]) -> None:
        self._count([row for row in rows if not is_document(row) and row["profile_id"] not in self.fresh], -1)
        for row in rows:
            if is_document(row):
                self.seeds |= names_used(statement_of(row))
                self.ended.add(row["event_id"])

    def _count(self, rows: Sequence[Kept], sign: int) -> None:
        """Adds what facts contribute that are no documents, or takes it back."""
        found = facts(rows)
        for contact in found.contacts:
            entry = contact_contribution(contact, self.rules.ledger, self.rules.half_life_days)
            self._add(contact.profile_id, entry, sign)
        for event in found.asset_events:
            self._add(event.profile_id, asset_contribution(event), sign)
        for answer in found.answers:
            self._add(answer.profile_id, other_contribution(answer), sign)
        for wallet in found.wallets:
            self._add(wallet.profile_id, other_contribution(wallet), sign)

    def _change_case(self, changed: ChangedCase) -> None:
        if changed.before is not None and changed.before.profile_id not in self.fresh:
            self._add(changed.before.profile_id, case_contribution(changed.before), -1)
        if changed.after.profile_id not in self.fresh:
            self._add(changed.after.profile_id, case_contribution(changed.after))
            _note_case(self.totals[changed.after.profile_id], changed.after.opened_at, changed.changed_at)

    def _bounds(self, row: Kept) -> bool:
        """Whether a fact is the first or the last of its profile."""
        total, day = self.totals[row["profile_id"]], local_day(row)
        return row["occurred_at"] in (total.earliest, total.latest) or day in (total.last_day, total.first_contact_on)

    async def _bound_again(self, profiles: Sequence[UUID]) -> None:
        """After facts went: when the others happened."""
        for profile in profiles:
            self.totals[profile].forget_recordings()
        for row in await store.recordings_of(self.connection, profiles):
            total = self.totals[row["profile_id"]]
            total.happened(row["occurred_at"], local_day(row), historical=row["historical"], contact=is_contact(row))

    async def settle(self, begun_now: Iterable[DocumentKey]) -> None:
        """Computes the documents again that have to do with the facts, and what differs from what they contributed."""
        self.seeds |= set(begun_now)
        if not self.seeds:
            return
        statements = await self._connected()
        events = sorted({statement.event_id for statement in statements} | self.ended)
        kept = await store.contributions_of(self.connection, events)
        found = self._contributions(statements)
        for (_, profile), entry in found.items():
            self._add(profile, entry)
        for (_, profile), entry in kept.items():
            if profile not in self.fresh:
                self._add(profile, entry, -1)
        changed = {place: entry for place, entry in found.items() if kept.get(place) != entry}
        await store.save_contributions(self.connection, changed, kept.keys() - found.keys())

    async def _connected(self) -> Sequence[Statement]:
        """The statements that have to do with the seeds, and all that they are settled with."""
        looked: set[DocumentKey] = set()
        statements: dict[UUID, Statement] = {}
        while ahead := sorted(self.seeds - looked):
            looked |= set(ahead)
            await store.lock_names(self.connection, ahead)
            await self.open(await store.not_built(self.connection, ahead))
            rows = await store.statements_using(self.connection, ahead)
            for row in rows:
                self.rows[row["event_id"]] = row
                statement = statements[row["event_id"]] = statement_of(row)
                self.seeds |= names_used(statement)
            await self.open(sorted({row["profile_id"] for row in rows}))
        return [statements[event_id] for event_id in sorted(statements)]

    def _contributions(self, statements: Sequence[Statement]) -> Contributions:
        rows = [self.rows[statement.event_id] for statement in statements]
        ahead = {row["event_id"] for row in rows if row["begins_on"] is not None and not row["begun"]}
        history = {row["event_id"] for row in rows if row["historical"]}
        return document_contributions(begun(standing(statements), ahead), statements, self.rules.ledger, history)

    def _add(self, profile: UUID, entry: Contribution, sign: int = 1) -> None:
        for day, sums in entry.days.items():
            add(self.delta[profile].setdefault(day, {}), sums, sign)

    async def save(self) -> None:
        """Saves the totals and the sums of the days that changed."""
        deltas = ((profile, day, sums) for profile, days in self.delta.items() for day, sums in days.items())
        places = sorted((profile, day) for profile, day, sums in deltas if day != EVER and sums)
        known = await store.days_of(self.connection, [place for place in places if place[0] not in self.fresh])
        for profile, days in self.delta.items():
            for sums in days.values():
                add(self.totals[profile].sums, sums)
        changed = {}
        for profile, day in places:
            sums = known.get((profile, day), {})
            bought = has_purchase(sums)
            add(sums, self.delta[profile][day])
            changed[profile, day] = sums
            if has_purchase(sums) != bought:
                _note_purchase_day(self.totals[profile], day.toordinal(), bought=not bought)
        if changed:
            await store.save_days(self.connection, changed)
        await store.save_totals(self.connection, [self.totals[profile] for profile in sorted(self.totals)])


def _note_purchase_day(total: ProfileTotal, ordinal: int, *, bought: bool) -> None:
    place = bisect_left(total.bought_on, ordinal)
    total.bought_on[place : place + (not bought)] = [ordinal] if bought else []
    total.days_changed = True


def _note_case(total: ProfileTotal, opened_at: datetime, changed_at: datetime) -> None:
    total.first_case_at = opened_at if total.first_case_at is None else min(total.first_case_at, opened_at)
    last = max(opened_at, changed_at)
    total.last_case_at = last if total.last_case_at is None else max(total.last_case_at, last)
