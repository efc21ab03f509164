"""The queries of the customer service."""

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import partial
from typing import Final
from uuid import UUID

from rapport_customer import store
from rapport_customer.domain.quality import RECENT
from rapport_customer.domain.wording import in_words
from rapport_customer.schemas.candidates import Candidate, CandidatePage, CandidateSide, Reason
from rapport_customer.schemas.merges import Merge, MergeList
from rapport_customer.schemas.owners import HandOverProgress
from rapport_customer.schemas.quality import Quality, QualityOfSource, QualityTrend
from rapport_customer.schemas.records import CustomerRecord
from rapport_customer.schemas.units import Unit, UnitPage
from rapport_shared.contracts.customer import CandidateReason, CandidateState, ProfileState
from rapport_shared.database import Database
from rapport_shared.errors import not_found
from rapport_shared.waiting import look_until
from rapport_shared.web.commands import revision_etag

LOOK_SECONDS: Final = 0.05


async def customer_record(database: Database, profile_id: UUID, wait_ms: int = 0) -> CustomerRecord:
    """A profile's record. Raises a 404 if the profile is still unknown after the given wait."""
    found = await look_until(
        lambda: store.read_profile(database, profile_id), lambda row: row is not None, wait_ms / 1000, LOOK_SECONDS
    )
    if found is None:
        raise not_found("customer")
    state, sequence, customer_id = found
    return CustomerRecord(
        profile_id=profile_id,
        customer_id=customer_id,
        etag=revision_etag(sequence),
        record=json.loads(state.model_dump_json()),
    )


async def merges(database: Database, customer_id: UUID) -> MergeList:
    """The joins of the customer that a profile belongs to. Raises a 404 for an unknown profile."""
    known = await store.read_profile(database, customer_id)
    if known is None:
        raise not_found("customer")
    return MergeList(merges=[_merge(join) for join in await store.joins_of_customer(database, known[2])])


def _merge(join: store.StoredJoin) -> Merge:
    return Merge(
        merge_id=join.merge_id,
        event_id=join.event_id,
        **{"from": join.from_customer},
        into_profile=join.into_profile,
        reason=join.reason,
        decided_by=join.decided_by,
        made_at=join.made_at,
        undone=join.undone,
        undone_by=join.undone_by,
        undone_at=join.last_recorded_at if join.undone else None,
    )


async def candidate_page(
    database: Database, now: datetime, customer_id: UUID | None, unit: str, cursor: str | None, limit: int
) -> CandidatePage:
    """Candidates of a unit (the firm's where it is empty) that wait for a decision, likeliest first.

    Raises a 422 for a cursor that is not of this list.
    """
    fetch = partial(store.candidates_to_review, database, now, customer_id, unit)
    page = await store.BY_PROBABILITY.page(cursor, limit, fetch, lambda row: _place(row[0]))
    records = await store.read_records(
        database, [profile_id for state, *_ in page.items for profile_id in (state.one, state.other)]
    )
    shown = [_candidate(state, customers, records) for state, *customers in page.items]
    return CandidatePage(candidates=shown, next_cursor=page.next_cursor)


def _place(state: CandidateState) -> tuple[float, UUID]:
    return state.probability or 0.0, state.candidate_id


def _candidate(state: CandidateState, customers: Sequence[UUID], records: Mapping[UUID, ProfileState]) -> Candidate:
    sides = [
        CandidateSide(customer_id=customer, profile_id=profile, record=json.loads(records[profile].model_dump_json()))
        for profile, customer in zip((state.one, state.other), customers, strict=True)
    ]
    return Candidate(
        candidate_id=state.candidate_id,
        state=state.state,
        cause=state.cause,
        probability=state.probability,
        reasons=[_reason(reason) for reason in state.reasons],
        sides=sides,
    )


def _reason(reason: CandidateReason) -> Reason:
    english, chinese = in_words(reason)
    return Reason(field=reason.field, level=reason.level, weight=reason.weight, text=english, text_zh=chinese)


async def hand_over(database: Database, hand_over_id: UUID) -> HandOverProgress:
    """The progress of a hand-over. Raises a 404."""
    async with database.connection() as connection:
        found = await store.read_hand_over(connection, hand_over_id)
        if found is None:
            raise not_found("hand-over")
        return progress(found, await store.count_owned(connection, found.owner, found.unit))


def progress(one: store.StoredHandOver, remaining: int) -> HandOverProgress:
    """A hand-over as the API shows it, with how many profiles are still to go."""
    return HandOverProgress(
        hand_over_id=one.hand_over_id,
        owner=one.owner,
        to=one.to_owner,
        unit=one.unit or None,
        state="done" if one.ended_at else "running",
        handed=one.handed,
        remaining=0 if one.ended_at else remaining,
        begun_at=one.begun_at,
        ended_at=one.ended_at,
    )


async def unit(database: Database, path: str) -> tuple[Unit, str]:
    """A unit and its ETag. Raises a 404 for a path that is not known."""
    found = await store.read_unit(database, path)
    if found is None:
        raise not_found("unit")
    state, sequence = found
    return Unit(**state.model_dump()), revision_etag(sequence)


async def unit_page(database: Database, cursor: str | None, limit: int) -> UnitPage:
    """Units in the order of their paths. Raises a 422 for a cursor that is not of this list."""
    page = await store.BY_PATH.page(cursor, limit, partial(store.units, database), lambda state: (state.path,))
    return UnitPage(units=[Unit(**state.model_dump()) for state in page.items], next_cursor=page.next_cursor)


async def quality(database: Database, unit: str | None, now: datetime) -> Quality:
    """The quality of each source at or below a unit."""
    found = await store.quality_of_sources(database, unit or "", now - RECENT)
    return Quality(sources=[_quality(sums) for sums in found])


async def quality_trend(database: Database, system: str, unit: str | None, since: date) -> QualityTrend:
    """The quality of a source in a unit, day by day."""
    found = await store.quality_of_days(database, system, unit or "", since)
    return QualityTrend(days=[_quality(sums) for sums in found])


def _quality(sums: store.QualitySums) -> QualityOfSource:
    return QualityOfSource(
        system=sums.system,
        unit=sums.unit or None,
        day=sums.day,
        profiles=sums.profiles,
        completeness=_percent(sums.filled, sums.expected),
        validity=_percent(sums.readable, sums.checked),
        agreement=_percent(sums.stands, sums.states),
        freshness=_percent(sums.reported, sums.profiles),
        duplication=_percent(sums.doubled, sums.profiles),
    )


def _percent(part: int, whole: int) -> float | None:
    return round(100 * part / whole, 1) if whole else None
