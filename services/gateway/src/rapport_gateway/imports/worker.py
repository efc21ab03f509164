"""The role `imports`: reads waiting sheets, sends the rows of started imports and records their results."""

import asyncio
import logging
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, BinaryIO, Final
from uuid import UUID

import orjson

from rapport_gateway.imports import row_store, store
from rapport_gateway.imports.findings import MESSAGES, SheetUnreadable
from rapport_gateway.imports.mapping import SheetMapping, work_digest
from rapport_gateway.imports.reading import Reading, reading
from rapport_gateway.imports.registers import Asked, Match, Matcher, Outcome, find_unit, outcomes
from rapport_gateway.intake.accepted import body_digest
from rapport_gateway.intake.producer import IntakeProducer
from rapport_gateway.intake.store.accepted import remember
from rapport_shared.clock import Clock
from rapport_shared.contracts.catalogue import INTAKE
from rapport_shared.contracts.codec import Message
from rapport_shared.contracts.customer import UnitState
from rapport_shared.database import Database, Row
from rapport_shared.errors import SHEET_UNREADABLE, Problem
from rapport_shared.policy_registers import own_rules
from rapport_shared.roles import repeat

_log = logging.getLogger("rapport.imports")

SENT_AT_ONCE: Final = 500
ON_THEIR_WAY: Final = 2_000
"""Rows of an import that were sent and not seen in the view yet, at most: what channels report meanwhile waits behind
no more than these."""
LOOKED_SECONDS: Final = 0.25
"""Between two looks at what is to be done, and at what became of what was sent: a look costs a lookup for each row on
its way, on the cores that carry the rows on."""
COMPARED_ROWS: Final = 10_000
"""A sheet of more rows is not compared by likeness: each costs the customer service some 4 ms, which serves others."""
FOLLOWED: Final = timedelta(days=7)
"""As long as the intake keeps what it was sent."""


@dataclass(frozen=True, slots=True)
class ImportWorker:
    """Works on imports for as long as it leads the role. What it repeats after a crash has the same ids."""

    database: Database
    producer: IntakeProducer
    matcher: Matcher
    likeness: Matcher
    secret: str
    clock: Clock
    region: str | None = None

    async def run(self) -> None:
        """Works for ever, and waits while the database is away."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.producer.run())
            group.create_task(repeat("imports read", self._read_next, LOOKED_SECONDS))
            group.create_task(repeat("imports sent", self._advance_all, LOOKED_SECONDS))

    async def _read_next(self) -> bool:
        found = await store.waiting(self.database)
        if found is not None:
            await self.read(found)
        return found is not None

    async def _advance_all(self) -> bool:
        for row in await store.running(self.database):
            await self.advance(row)
        return False

    async def read(self, found: Row) -> None:
        """Reads an import's sheet and judges its rows; returns early when the import was cancelled meanwhile."""
        import_id: UUID = found["import_id"]
        try:
            async with self.database.transaction() as connection:
                attempt = await store.begin_attempt(connection, import_id)
            try:
                with tempfile.TemporaryFile(prefix="rapport-import-") as content:
                    await self._fetch(import_id, content)
                    fields = (await own_rules(self.database)).policy.model_dump_json(exclude_unset=True)
                    async with reading(content, _loaded(found["mapping"]), fields) as sheet:
                        await self._judge(found, attempt, sheet, fields)
            except SheetUnreadable as unreadable:
                problem = Problem(SHEET_UNREADABLE, unreadable.message, code=unreadable.code)
                async with self.database.transaction() as connection:
                    await store.fail(connection, import_id, attempt, problem.document(), self.clock())
        except store.NotAsExpected:
            _log.info("an import is no longer to be read")

    async def _fetch(self, import_id: UUID, content: BinaryIO) -> None:
        number = 0
        while (chunk := await store.chunk(self.database, import_id, number)) is not None:
            content.write(chunk)
            number += 1

    async def _judge(self, found: Row, attempt: int, sheet: Reading, fields: str) -> None:
        import_id: UUID = found["import_id"]
        answer = await sheet.report()
        resolved = SheetMapping.model_validate(answer["mapping"]) if answer["mapping"] else None
        unit = await find_unit(self.database, found["unit"]) if found["unit"] else None
        compared = answer["report"]["rows"] <= COMPARED_ROWS
        undecided = answer["stops"] or resolved is None
        digest = None if resolved is None or undecided else _digest(found, resolved, unit, fields, self.region)
        async with self.database.transaction() as connection:
            given = found["as_of"] or found["created_at"]
            dated_at = await store.settle_work(connection, digest, given) if digest else None
            await store.keep_report(
                connection,
                import_id,
                attempt,
                report={**answer["report"], "compared_by_likeness": compared},
                resolved=resolved.canonical() if resolved else None,
                state="undecided" if undecided else "waiting",
                digest=digest,
                dated_at=dated_at,
                now=self.clock(),
            )
        if digest is None or dated_at is None:
            return
        terms = {
            "digest": digest.hex(),
            "as_of": dated_at.isoformat(),
            "unit": unit.model_dump(mode="json") if unit else None,
            "secret": self.secret,
            "region": self.region,
            "caller": {
                "principal": str(found["principal"]),
                "channel": found["channel"],
                "unit": found["unit"],
                "may_verify": list(found["may_verify"]),
            },
            **{name: found[name] for name in ("system", "channel", "historical")},
        }
        matcher = self.likeness if compared else self.matcher
        async for rows in sheet.rows(terms):
            await self._keep(import_id, attempt, rows, matcher)
        async with self.database.transaction() as connection:
            await store.end_reading(connection, import_id, attempt, "checked", self.clock())

    async def _keep(self, import_id: UUID, attempt: int, rows: Sequence[Any], matcher: Matcher) -> None:
        asked = [
            Asked(
                UUID(row["source_profile"]) if row["source_profile"] else None,
                [tuple(key) for key in row["keys"]],
                row["messages"][0]["value"] if row["messages"] else None,
            )
            for row in rows
        ]
        matches = await matcher(asked)
        async with self.database.transaction() as connection:
            judged = [_as_kept(row, match) for row, match in zip(rows, matches, strict=True)]
            await row_store.keep_rows(connection, import_id, attempt, judged)

    async def advance(self, found: Row) -> None:
        """Looks what became of what was sent, sends the next rows if there is room, and ends what is at its end.

        May be repeated at any point: a row is sent again under the same ids until Kafka has acknowledged it.
        """
        import_id: UUID = found["import_id"]
        on_their_way = await row_store.on_their_way(self.database, import_id)
        left = len(on_their_way) - await self._look(import_id, on_their_way)
        while left <= ON_THEIR_WAY - SENT_AT_ONCE:
            rows = await row_store.to_send(self.database, import_id, SENT_AT_ONCE)
            if not rows:
                break
            await self._send(import_id, rows)
            left += len(rows)
        else:
            return
        if left == 0 or found["started_at"] < self.clock() - FOLLOWED:
            async with self.database.transaction() as connection:
                await store.end_run(connection, import_id, self.clock())

    async def _look(self, import_id: UUID, on_their_way: Sequence[Row]) -> int:
        if not on_their_way:
            return 0
        known = await outcomes(self.database, [id_ for row in on_their_way for id_ in row["ids"]])
        seen = [
            _seen(row["number"], [known[id_] for id_ in row["ids"]])
            for row in on_their_way
            if all(id_ in known for id_ in row["ids"])
        ]
        if seen:
            async with self.database.transaction() as connection:
                await row_store.mark_seen(connection, import_id, seen, self.clock())
        return len(seen)

    async def _send(self, import_id: UUID, rows: Sequence[Row]) -> None:
        messages = [message for row in rows for message in _messages(row["messages"])]
        while True:
            try:
                await self.producer.send(messages)
                break
            except Problem:
                _log.warning("waiting for a broker")
                await asyncio.sleep(LOOKED_SECONDS)
        async with self.database.transaction() as connection:
            now = self.clock()
            await remember(connection, _reported(messages), now)
            await row_store.mark_sent(connection, import_id, [row["number"] for row in rows], now)


def _reported(messages: Sequence[Message]) -> dict[UUID, bytes]:
    return {UUID(dict(one.headers)["ce_id"].decode()): body_digest(one.value or b"") for one in messages}


def _digest(found: Row, mapping: SheetMapping, unit: UnitState | None, fields: str, region: str | None) -> bytes:
    # a cell becomes another value under another declaration: the touchpoint is then another one
    declared = fields if any(column.field == "attribute" for column in mapping.columns) else "{}"
    own = () if declared == "{}" else (declared,)
    terms = (
        found["system"],
        found["channel"],
        found["unit"],
        found["historical"],
        found["as_of"].isoformat() if found["as_of"] else None,
        unit.phone_region if unit else region,
        unit.time_zone if unit else None,
        *own,
    )
    return work_digest(found["file_hash"], mapping, terms)


def _as_kept(row: Any, match: Match | None) -> tuple[Any, ...]:
    reasons = [*row["reasons"], *(match.reasons if match else ())]
    customer_id = match.customer_id if match else None
    if customer_id is None and row["same_as"] is not None:
        message = MESSAGES["same_as_row"]
        reasons.append({"code": "same_as_row", "column": None, "message": message, "row": row["same_as"]})
    is_known = customer_id is not None or row["same_as"] is not None
    return (
        row["row"],
        "rejected" if row["rejected"] else "matches" if is_known else "new",
        customer_id,
        orjson.dumps(reasons).decode(),
        orjson.dumps(row["cells"]).decode(),
        [UUID(id_) for id_ in row["ids"]],
        orjson.dumps(row["messages"]).decode() if row["messages"] else None,
    )


def _messages(text: str) -> list[Message]:
    return [
        Message(
            INTAKE.name,
            message["key"].encode(),
            tuple((name, value.encode()) for name, value in message["headers"]),
            message["value"].encode(),
        )
        for message in orjson.loads(text)
    ]


def _seen(number: int, found: Sequence[Outcome]) -> tuple[int, str, UUID | None, str | None]:
    """What became of a row: of its profile, unless a part of it was quarantined."""
    quarantined = next((outcome for outcome in found if outcome.state == "quarantined"), None)
    if quarantined is None:
        return number, found[0].state, found[0].customer_id, None
    message = f"{MESSAGES['quarantined']} ({quarantined.reason})"
    reason = {"code": "quarantined", "column": None, "message": message}
    return number, "quarantined", found[0].customer_id, orjson.dumps(reason).decode()


def _loaded(text: str | None) -> Any:
    return None if text is None else orjson.loads(text)
