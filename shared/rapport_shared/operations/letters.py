"""Dead letters of a stack's services, for an operator: found, shown, replayed, dismissed.

A letter is named `service/id`, for each service counts its own; where one database is named, the id alone will do.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from rapport_shared.contracts.catalogue import EVENT_TYPES
from rapport_shared.messaging.dead_letters import (
    STATES,
    Letter,
    LetterFilter,
    ask_for_replay,
    dismiss,
    find_letters,
    read_record,
)
from rapport_shared.messaging.records import Record
from rapport_shared.messaging.resume import halted_roles
from rapport_shared.operations.databases import database_of
from rapport_shared.operations.stack import WrongUsage
from rapport_shared.waiting import look_until

LOOK_SECONDS: Final = 0.5
_KNOWN_TYPES: Final = frozenset(event_type.wire for event_type in EVENT_TYPES)


@dataclass(frozen=True, slots=True)
class Wanted:
    """The letters that a command means: those named, by service, or all that the filter takes."""

    filter: LetterFilter
    named: Mapping[str, Sequence[int]] | None
    service: str = ""

    def of(self, service: str) -> LetterFilter | None:
        """The filter for a service's database; None where nothing of it is meant."""
        if self.service not in ("", service):
            return None
        if self.named is None:
            return self.filter
        ids = self.named.get(service)
        return None if ids is None else replace(self.filter, ids=ids)


def read_names(names: Sequence[str], databases: Mapping[str, str]) -> dict[str, list[int]] | None:
    """Letters by service from their names; None without names. Raises `WrongUsage` for a name that means nothing."""
    named: dict[str, list[int]] = {}
    for name in names:
        service, _, number = name.rpartition("/")
        if not number.isdecimal() or len(number) > 18:
            raise WrongUsage(f"{name} is no dead letter: a name is such as customer/17.")
        if not service and len(databases) != 1:
            raise WrongUsage(f"Each service counts its own letters: say whose {name} is, such as customer/{number}.")
        service = service or next(iter(databases))
        if service not in databases:
            raise WrongUsage(f"There is no service {service} here: there are {', '.join(databases)}.")
        named.setdefault(service, []).append(int(number))
    return named or None


async def list_letters(databases: Mapping[str, str], wanted: Wanted, limit: int) -> list[tuple[str, Letter]]:
    """The letters that are meant with their services, at most `limit` of each."""
    found: list[tuple[str, Letter]] = []
    for service, dsn in databases.items():
        letters = wanted.of(service)
        if letters is not None:
            async with database_of(service, dsn) as database:
                found += [(service, letter) for letter in await find_letters(database, letters, limit)]
    return found


async def show_letter(service: str, dsn: str, letter_id: int) -> tuple[Letter, Record] | None:
    """A letter and its record; None for an id that is not known."""
    async with database_of(service, dsn) as database:
        letters = await find_letters(database, LetterFilter(states=STATES, ids=[letter_id]), 1)
        record = await read_record(database, letter_id)
    return (letters[0], record) if letters and record is not None else None


async def halted_consumers(service: str, dsn: str) -> dict[str, str]:
    """The halted roles of a service: a halted consumer replays nothing."""
    async with database_of(service, dsn) as database:
        return await halted_roles(database)


async def replay_letters(service: str, dsn: str, letters: Sequence[Letter], wait_seconds: float) -> list[Letter]:
    """Has the letters replayed, and answers them with what became of them within `wait_seconds`.

    Those that are still `replaying` then are replayed as soon as a process leads their consumer.
    """
    ids = [letter.id for letter in letters]
    async with database_of(service, dsn) as database:
        async with database.transaction() as connection:
            await ask_for_replay(connection, LetterFilter(ids=ids))
        return await look_until(
            lambda: find_letters(database, LetterFilter(states=STATES, ids=ids), len(ids)),
            lambda seen: all(letter.state != "replaying" for letter in seen),
            wait_seconds,
            LOOK_SECONDS,
        )


async def dismiss_letters(service: str, dsn: str, letters: Sequence[Letter]) -> list[int]:
    """Dismisses the letters; answers the ids of those that were undecided."""
    async with database_of(service, dsn) as database, database.transaction() as connection:
        return await dismiss(connection, LetterFilter(ids=[letter.id for letter in letters]))


def line(service: str, letter: Letter) -> str:
    """A letter as a line, without anything that may be personal."""
    place = f"{letter.topic}/{letter.partition}@{letter.offset}"
    return f"{service}/{letter.id}  {letter.state:<9}  {letter.consumer:<12}  {place}  {letter.reason}"


def details(service: str, letter: Letter, record: Record, *, with_data: bool) -> list[str]:
    """A letter in full. Key, headers and value are shown only `with_data`: they may be personal."""
    event_type = record.headers.get("ce_type", "")
    lines = [
        f"letter       {service}/{letter.id}",
        f"state        {letter.state}{_since(letter.decided_at)}, replayed {letter.replays} times",
        f"consumer     {letter.consumer}",
        f"record       {letter.topic}, partition {letter.partition}, offset {letter.offset}",
        f"written      {record.written_at.isoformat(timespec='seconds')}",
        f"rejected     {letter.rejected_at.isoformat(timespec='seconds')}",
        f"reason       {letter.reason}",
        f"event type   {event_type if event_type in _KNOWN_TYPES else 'not known'}",
        f"event id     {letter.event_id if _is_uuid(letter.event_id) else 'none that can be read'}",
        f"value        {'none' if letter.bytes is None else f'{letter.bytes} bytes'}",
    ]
    if not with_data:
        return [*lines, "Key, headers and value may be personal: --show-data shows them."]
    return [
        *lines,
        f"key          {_text(record.key)}",
        *(f"header       {json.dumps(name)}: {json.dumps(text)}" for name, text in record.headers.items()),
        f"value        {_text(record.value)}",
    ]


def outcome(service: str, letter: Letter) -> str:
    """What became of a letter that was to be replayed, as a line."""
    match letter.state:
        case "consumed":
            said = "consumed"
        case "open":
            said = f"rejected again: {letter.reason}"
        case "dismissed":
            said = "dismissed meanwhile"
        case "replaying":
            said = f"waits for a process that leads {letter.consumer}; it is replayed as soon as there is one"
    return f"{service}/{letter.id}  {said}"


def _since(instant: datetime | None) -> str:
    return "" if instant is None else f" since {instant.isoformat(timespec='seconds')}"


def _is_uuid(text: str | None) -> bool:
    try:
        return text is not None and str(UUID(text)) == text
    except ValueError:
        return False


def _text(data: bytes | None) -> str:
    """Bytes as text that no terminal takes for a command."""
    return "none" if data is None else json.dumps(data.decode(errors="replace"))
