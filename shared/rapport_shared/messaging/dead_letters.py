"""Dead letters: an operator asks for a replay or dismisses them, and their consumer replays them.

A replay is carried out by the process that leads the consumer, through the consumer's own `decode` and `apply`, in one
transaction with the letter's new state. A letter is therefore consumed once, however often operators ask.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal, cast, get_args

from rapport_shared.database import Connection, Database, Reading, Row
from rapport_shared.messaging.records import Partition, Record

State = Literal["open", "replaying", "consumed", "dismissed"]
STATES: Final[tuple[State, ...]] = get_args(State)
UNDECIDED: Final[tuple[State, ...]] = ("open", "replaying")

REPLAYED_AT_ONCE = 100

_SHOWN = (
    'id, consumer, topic, partition, "offset", event_id, reason, state, replays, rejected_at, decided_at, '
    "octet_length(value) AS bytes"
)
_MATCHING = """
state = ANY($1) AND ($2::bigint[] IS NULL OR id = ANY($2)) AND ($3 = '' OR consumer = $3) AND ($4 = '' OR topic = $4)
AND ($5 = '' OR strpos(lower(reason), lower($5)) > 0)
"""
_ASKED = """
SELECT id, topic, partition, "offset", key, headers, value, coalesce(written_at, rejected_at) AS written_at,
       malformed_headers
FROM dead_letter
WHERE consumer = $1 AND state = 'replaying' AND state IN ('open', 'replaying')
AND (topic, partition) IN (SELECT * FROM unnest($2::text[], $3::int[]))
ORDER BY id LIMIT $4
"""
"""The second condition on the state is that of the index `dead_letter_undecided`."""


@dataclass(frozen=True, slots=True)
class LetterFilter:
    """Selects dead letters. An empty text or no ids select all letters; `reason` is a part of the letter's reason."""

    states: Sequence[State] = UNDECIDED
    ids: Sequence[int] | None = None
    consumer: str = ""
    topic: str = ""
    reason: str = ""

    def arguments(self) -> tuple[object, ...]:
        """The arguments of a statement that ends with the condition on the letters."""
        ids = None if self.ids is None else list(self.ids)
        return list(self.states), ids, self.consumer, self.topic, self.reason


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter without the parts that may be personal data."""

    id: int
    consumer: str
    topic: str
    partition: int
    offset: int
    event_id: str | None
    reason: str
    state: State
    replays: int
    rejected_at: datetime
    decided_at: datetime | None
    bytes: int | None


@dataclass(frozen=True, slots=True)
class AskedLetter:
    """A dead letter that an operator asked to replay."""

    id: int
    record: Record = field(repr=False)


async def find_letters(reading: Reading, wanted: LetterFilter, limit: int) -> list[Letter]:
    """The selected letters, the oldest first, at most `limit`."""
    query = f"SELECT {_SHOWN} FROM dead_letter WHERE {_MATCHING} ORDER BY id LIMIT $6"
    return [_letter(row) for row in await reading.fetch(query, *wanted.arguments(), limit)]


async def undecided_letters(reading: Reading) -> dict[str, int]:
    """How many letters of each consumer were neither replayed nor dismissed."""
    rows = await reading.fetch(
        "SELECT consumer, count(*) AS count FROM dead_letter WHERE state IN ('open', 'replaying') "
        "GROUP BY consumer ORDER BY consumer"
    )
    return {row["consumer"]: row["count"] for row in rows}


async def read_record(reading: Reading, letter_id: int) -> Record | None:
    """The record of a letter, with all that it holds; None for an id that is not known."""
    query = (
        'SELECT topic, partition, "offset", key, headers, value, coalesce(written_at, rejected_at) AS written_at, '
        "malformed_headers FROM dead_letter WHERE id = $1"
    )
    rows = await reading.fetch(query, letter_id)
    return _record(rows[0]) if rows else None


async def ask_for_replay(connection: Connection, wanted: LetterFilter) -> list[int]:
    """Asks the consumers to replay the open letters of the selection; returns the ids of these letters."""
    return await _set_state(connection, wanted, "replaying", ("open",))


async def dismiss(connection: Connection, wanted: LetterFilter) -> list[int]:
    """Dismisses the undecided letters of the selection; returns their ids. A dismissal is final."""
    return await _set_state(connection, wanted, "dismissed", UNDECIDED)


async def asked_letters(database: Database, consumer: str, partitions: Iterable[Partition]) -> list[AskedLetter]:
    """The letters of `consumer` in `partitions` that are to be replayed, the oldest first."""
    read = list(partitions)
    rows = await database.fetch(
        _ASKED,
        consumer,
        [partition.topic for partition in read],
        [partition.number for partition in read],
        REPLAYED_AT_ONCE,
    )
    return [AskedLetter(row["id"], _record(row)) for row in rows]


async def mark_consumed(connection: Connection, letter_id: int, now: datetime) -> bool:
    """Marks a letter as consumed in the transaction that consumes it; False when it is not to be replayed any more."""
    status = await connection.execute(
        "UPDATE dead_letter SET state = 'consumed', replays = replays + 1, decided_at = $2 "
        "WHERE id = $1 AND state = 'replaying'",
        letter_id,
        now,
    )
    return status == "UPDATE 1"


async def mark_rejected_again(connection: Connection, letter_id: int, reason: str, now: datetime) -> None:
    """Opens a letter again that its consumer rejected once more, with the new reason."""
    await connection.execute(
        "UPDATE dead_letter SET state = 'open', replays = replays + 1, reason = $2, decided_at = $3 "
        "WHERE id = $1 AND state = 'replaying'",
        letter_id,
        reason,
        now,
    )


async def _set_state(connection: Connection, wanted: LetterFilter, state: State, former: Sequence[State]) -> list[int]:
    possible = [one for one in wanted.states if one in former]
    _, *arguments = wanted.arguments()
    rows = await connection.fetch(
        f"UPDATE dead_letter SET state = $6, decided_at = now() WHERE {_MATCHING} RETURNING id",
        possible,
        *arguments,
        state,
    )
    return sorted(row["id"] for row in rows)


def _letter(row: Row) -> Letter:
    return Letter(**{**dict(row), "state": cast(State, row["state"])})


def _record(row: Row) -> Record:
    return Record(
        Partition(row["topic"], row["partition"]),
        row["offset"],
        row["key"],
        json.loads(row["headers"]),
        row["value"],
        row["written_at"],
        row["malformed_headers"],
    )
