"""What facts amount to: the sums of profiles, in all and by day, and what each statement contributes to them."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from pydantic import TypeAdapter

from rapport_scoring.domain.contributions import EVER, Contribution, Contributions, Owner
from rapport_scoring.domain.settlement.receivables import InvoiceBalance
from rapport_scoring.domain.sums import Sums
from rapport_scoring.store.locking import lock_or_place
from rapport_shared.database import Connection

_INVOICE: Final = TypeAdapter(InvoiceBalance)

_PLACE_TOTALS = """
INSERT INTO profile_total (profile_id) SELECT * FROM unnest($1::uuid[]) ON CONFLICT DO NOTHING
"""
_LOCK_TOTALS = """
SELECT profile_id, built, sums, bought_on, earliest, latest, latest_is_history, last_day, first_contact_on,
       first_case_at, last_case_at
FROM profile_total WHERE profile_id = ANY($1::uuid[]) ORDER BY profile_id FOR UPDATE
"""
_SAVE_TOTALS = """
UPDATE profile_total t SET built = s.built, sums = s.sums,
    bought_on = CASE WHEN s.bought_on IS NULL THEN t.bought_on ELSE s.bought_on::integer[] END,
    earliest = s.earliest, latest = s.latest, latest_is_history = s.latest_is_history, last_day = s.last_day,
    first_contact_on = s.first_contact_on, first_case_at = s.first_case_at, last_case_at = s.last_case_at
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[], $7::boolean[],
            $8::date[], $9::date[], $10::timestamptz[], $11::timestamptz[])
    AS s (profile_id, built, sums, bought_on, earliest, latest, latest_is_history, last_day, first_contact_on,
          first_case_at, last_case_at)
WHERE t.profile_id = s.profile_id
"""
_OUTDATE_UNITS = """
UPDATE profile_total SET built = '' WHERE profile_id IN (
    SELECT DISTINCT profile_id FROM recording WHERE unit = ANY($1::text[]))
"""
_FORGET_DAYS = "DELETE FROM profile_day WHERE profile_id = ANY($1::uuid[])"
_DAYS = """
SELECT profile_id, day, sums FROM profile_day
JOIN unnest($1::uuid[], $2::date[]) AS asked (profile_id, day) USING (profile_id, day)
"""
_SAVE_DAYS = """
INSERT INTO profile_day (profile_id, day, sums) SELECT * FROM unnest($1::uuid[], $2::date[], $3::text[])
ON CONFLICT (profile_id, day) DO UPDATE SET sums = excluded.sums
"""
_DROP_DAYS = """
DELETE FROM profile_day d USING unnest($1::uuid[], $2::date[]) AS s (profile_id, day)
WHERE d.profile_id = s.profile_id AND d.day = s.day
"""
_CONTRIBUTIONS = """
SELECT event_id, profile_id, days, invoice, placed_at FROM contribution WHERE event_id = ANY($1::uuid[])
"""
_SAVE_CONTRIBUTIONS = """
INSERT INTO contribution (event_id, profile_id, days, invoice, placed_at)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::timestamptz[])
ON CONFLICT (event_id, profile_id) DO UPDATE
    SET days = excluded.days, invoice = excluded.invoice, placed_at = excluded.placed_at
"""
_DROP_CONTRIBUTIONS = """
DELETE FROM contribution c USING unnest($1::uuid[], $2::uuid[]) AS s (event_id, profile_id)
WHERE c.event_id = s.event_id AND c.profile_id = s.profile_id
"""


@dataclass(slots=True)
class ProfileTotal:
    """What the facts of a profile amount to in all. `bought_on` are ordinals, ascending; None where they stay.

    `earliest`, `latest` and `last_day` are those of recordings; `latest_is_history` says that all at `latest` were
    reported as history. `first_case_at` and `last_case_at` bound the event times of tickets.
    """

    profile_id: UUID
    built: str = ""
    sums: Sums = field(default_factory=dict)
    bought_on: list[int] = field(default_factory=list)
    earliest: datetime | None = None
    latest: datetime | None = None
    latest_is_history: bool = False
    last_day: date | None = None
    first_contact_on: date | None = None
    first_case_at: datetime | None = None
    last_case_at: datetime | None = None
    days_changed: bool = False

    def happened(self, at: datetime, day: date, *, historical: bool, contact: bool) -> None:
        """Takes note of when a recorded fact happened."""
        if self.latest is None or at > self.latest:
            self.latest, self.latest_is_history = at, historical
        elif at == self.latest:
            self.latest_is_history = self.latest_is_history and historical
        self.earliest = at if self.earliest is None else min(self.earliest, at)
        self.last_day = day if self.last_day is None else max(self.last_day, day)
        if contact:
            self.first_contact_on = day if self.first_contact_on is None else min(self.first_contact_on, day)

    def forget_recordings(self) -> None:
        """Forgets when recorded facts happened, for who takes note of all of them again."""
        self.earliest = self.latest = self.last_day = self.first_contact_on = None
        self.latest_is_history = False


async def lock_totals(connection: Connection, profiles: Sequence[UUID]) -> dict[UUID, ProfileTotal]:
    """The totals of profiles (sorted by the caller), locked; of a profile that is new they are empty."""
    rows = await lock_or_place(connection, _LOCK_TOTALS, _PLACE_TOTALS, profiles, "profile_id")
    return {row["profile_id"]: ProfileTotal(**{**dict(row), "sums": json.loads(row["sums"])}) for row in rows}


async def save_totals(connection: Connection, totals: Sequence[ProfileTotal]) -> None:
    """Saves totals that the caller has locked."""
    await connection.execute(
        _SAVE_TOTALS,
        [one.profile_id for one in totals],
        [one.built for one in totals],
        [text_of(one.sums) for one in totals],
        ["{" + ",".join(map(str, one.bought_on)) + "}" if one.days_changed else None for one in totals],
        [one.earliest for one in totals],
        [one.latest for one in totals],
        [one.latest_is_history for one in totals],
        [one.last_day for one in totals],
        [one.first_contact_on for one in totals],
        [one.first_case_at for one in totals],
        [one.last_case_at for one in totals],
    )


async def outdate_sums(connection: Connection, units: Sequence[str]) -> None:
    """The sums of the profiles with facts of `units` are made again before they are looked at."""
    await connection.execute(_OUTDATE_UNITS, units)


async def forget_days(connection: Connection, profiles: Sequence[UUID]) -> None:
    """Removes the sums of the days of profiles."""
    await connection.execute(_FORGET_DAYS, profiles)


async def days_of(connection: Connection, places: Sequence[tuple[UUID, date]]) -> dict[tuple[UUID, date], Sums]:
    """The sums of days of profiles."""
    rows = await connection.fetch(_DAYS, [profile for profile, _ in places], [day for _, day in places])
    return {(row["profile_id"], row["day"]): json.loads(row["sums"]) for row in rows}


async def save_days(connection: Connection, days: Mapping[tuple[UUID, date], Sums]) -> None:
    """Keeps the sums of days of profiles; a day without any is removed."""
    kept = sorted(place for place, sums in days.items() if sums)
    gone = sorted(place for place, sums in days.items() if not sums)
    if kept:
        texts = [text_of(days[place]) for place in kept]
        await connection.execute(_SAVE_DAYS, [profile for profile, _ in kept], [day for _, day in kept], texts)
    if gone:
        await connection.execute(_DROP_DAYS, [profile for profile, _ in gone], [day for _, day in gone])


async def contributions_of(connection: Connection, events: Sequence[UUID]) -> Contributions:
    """What statements contribute, as it is kept."""
    rows = await connection.fetch(_CONTRIBUTIONS, events)
    return {
        (row["event_id"], row["profile_id"]): Contribution(
            _days_of(row["days"]), read_invoice(row["invoice"]), row["placed_at"]
        )
        for row in rows
    }


async def save_contributions(
    connection: Connection, found: Mapping[Owner, Contribution], gone: Iterable[Owner]
) -> None:
    """Keeps what statements contribute, and removes what is gone."""
    if found:
        places = sorted(found)
        await connection.execute(
            _SAVE_CONTRIBUTIONS,
            [event for event, _ in places],
            [profile for _, profile in places],
            [_days_text(found[place].days) for place in places],
            [_invoice_text(found[place].invoice) for place in places],
            [found[place].placed_at for place in places],
        )
    if dropped := sorted(gone):
        await connection.execute(
            _DROP_CONTRIBUTIONS, [event for event, _ in dropped], [profile for _, profile in dropped]
        )


def text_of(sums: Mapping[str, int]) -> str:
    """Sums as JSON; equal sums give equal texts. Integers of any size: a database keeps them as text."""
    return json.dumps(sums, separators=(",", ":"), sort_keys=True)


def read_invoice(text: str | None) -> InvoiceBalance | None:
    """An open invoice as it is kept."""
    return None if text is None else _INVOICE.validate_json(text)


def _invoice_text(invoice: InvoiceBalance | None) -> str | None:
    return None if invoice is None else _INVOICE.dump_json(invoice).decode()


def _days_text(days: Mapping[date, Sums]) -> str:
    named: dict[str, Any] = {"" if day == EVER else day.isoformat(): sums for day, sums in days.items() if sums}
    return json.dumps(named, separators=(",", ":"), sort_keys=True)


def _days_of(text: str) -> dict[date, Sums]:
    return {date.fromisoformat(day) if day else EVER: sums for day, sums in json.loads(text).items()}
