"""A service with one guarantee broken on purpose: `python -m tests.chaos.broken BREAKAGE SERVICE ARGUMENTS...`.

An audit that does not find these would find nothing. Where a breakage only hurts when the process dies at the wrong
moment, it dies there, once: by SIGKILL, at the third time, leaving the file that RAPPORT_CRASHED names.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from rapport_shared import service as service_module
from rapport_shared.database import Connection, Database, Row
from rapport_shared.messaging import leadership, outbox
from rapport_shared.messaging import relay as relay_module
from rapport_shared.messaging.consumer import BatchProcessor
from rapport_shared.messaging.records import Record
from rapport_shared.messaging.relay import Relay

__all__ = ["CRASHED"]

CRASHED = "RAPPORT_CRASHED"
_FATAL_TIME = 3
_times = 0


def _wrong_moment() -> None:
    global _times
    _times += 1
    marker = Path(os.environ[CRASHED])
    if _times == _FATAL_TIME and not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)


def cursor_outside_the_transaction() -> None:
    """The cursor is committed first, the effect in a transaction of its own."""

    async def commit(self: BatchProcessor[Any], records: Sequence[Record], items: Sequence[Any]) -> None:
        async with self.database.transaction() as connection:
            await self._move_cursors(connection, records)
        self._advance(records)
        if items:
            if self.subscription.consumer == "intake":
                _wrong_moment()
            async with self.database.transaction() as connection:
                await self.subscription.apply(connection, items)

    BatchProcessor._commit = commit  # type: ignore[method-assign]


def deleted_before_the_acknowledgement() -> None:
    """A row leaves the outbox when it is read, and is handed to the producer after that."""
    read_next: Any = Relay._next

    async def delete_at_once(self: Relay, acknowledged: list[int]) -> list[Row]:
        rows: list[Row] = await read_next(self, acknowledged)
        if rows:
            await self.database.fetch("DELETE FROM outbox WHERE id = ANY($1)", [row["id"] for row in rows])
            _wrong_moment()
        return rows

    Relay._next = delete_at_once  # type: ignore[method-assign]


def relay_without_leadership() -> None:
    """Every process relays, and looks for rows without being woken."""
    relay_module.POLL_SECONDS = 0.02
    hold_role = leadership.hold_role

    async def hold(database: Database, role: str, body: Callable[[], Any], *more: Any, **named: Any) -> None:
        if role == "relay":
            await body()
        else:
            await hold_role(database, role, body, *more, **named)

    service_module.hold_role = hold  # type: ignore[attr-defined]


def effect_outside_the_transaction() -> None:
    """Events are committed by a connection of their own, apart from what they tell and from the cursor."""
    append: Any = outbox.append

    async def append_elsewhere(connection: Connection, *arguments: Any) -> None:
        async with _database().transaction() as other:
            await append(other, *arguments)
        _wrong_moment()

    outbox.append = append_elsewhere  # type: ignore[assignment]


BREAKAGES: dict[str, Callable[[], None]] = {
    breakage.__name__: breakage
    for breakage in (
        cursor_outside_the_transaction,
        deleted_before_the_acknowledgement,
        relay_without_leadership,
        effect_outside_the_transaction,
    )
}

_opened: list[Database] = []
_open = Database.__aenter__


async def _remember(self: Database) -> Database:
    _opened.append(self)
    return await _open(self)


def _database() -> Database:
    return _opened[0]


if __name__ == "__main__":
    _, breakage, service, *arguments = sys.argv
    Database.__aenter__ = _remember  # type: ignore[method-assign]
    BREAKAGES[breakage]()
    sys.argv = [service, *arguments]
    runpy.run_module(f"rapport_{service}", run_name="__main__", alter_sys=True)
