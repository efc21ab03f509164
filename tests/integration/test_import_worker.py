"""Imports on a real database: whoever takes over a run sends the same touchpoints, and all of them."""

import asyncio
import io
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import cast
from uuid import UUID

import orjson
import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rapport_gateway.imports import row_store, store, worker
from rapport_gateway.imports.commands import Imports, Wanted
from rapport_gateway.imports.mapping import SheetMapping
from rapport_gateway.imports.registers import view_matcher
from rapport_gateway.imports.uploads import Uploads
from rapport_gateway.imports.worker import SENT_AT_ONCE, ImportWorker
from rapport_gateway.intake.producer import IntakeProducer
from rapport_shared.callers import Caller
from rapport_shared.clock import system_clock
from rapport_shared.contracts.codec import Message
from rapport_shared.database import Database, Row
from rapport_shared.errors import Problem, unavailable
from rapport_shared.migrations import migrate
from tests.support.conditions import until
from tests.support.infrastructure import Databases
from tests.unit.imports.sheets import csv_bytes

CALLER = Caller("0198f000-0000-7000-8000-000000000001", scopes=frozenset({"*"}))
ROWS = 1_200


class Died(Exception):
    """The process is gone."""


@dataclass
class Broker:
    """Keeps what it is sent; by plan it does not answer, or whoever sends dies once all is sent."""

    plan: list[str] = field(default_factory=list)
    kept: list[tuple[str, bytes | None]] = field(default_factory=list)

    async def run(self) -> None:
        await asyncio.Event().wait()

    async def send(self, messages: Sequence[Message]) -> None:
        step = self.plan.pop(0) if self.plan else "answers"
        sent = messages[: len(messages) // 2] if step == "breaks" else messages
        self.kept += [(dict(m.headers)["ce_id"].decode(), m.value) for m in sent]
        if step == "breaks":
            raise unavailable("Kafka")
        if step == "dies":
            raise Died


@dataclass
class Desk:
    """Imports over one database."""

    database: Database
    broker: Broker = field(default_factory=Broker)
    now: datetime = field(default_factory=system_clock)

    def clock(self) -> datetime:
        return self.now

    @property
    def imports(self) -> Imports:
        async def no_unit(_: str) -> None:
            return None

        return Imports(self.database, no_unit, self.clock)

    @property
    def worker(self) -> ImportWorker:
        producer = cast(IntakeProducer, self.broker)
        matcher = view_matcher(self.database)
        return ImportWorker(self.database, producer, matcher, matcher, "s" * 32, self.clock)

    async def upload(self, content: bytes) -> UUID:
        wanted = Wanted("a.csv", "erp", channel=None, unit=None, historical=True, as_of=None, mapping=None)
        new = await self.imports.plan(wanted, CALLER)

        async def pieces() -> AsyncIterator[bytes]:
            stream = io.BytesIO(content)
            while piece := stream.read(100_000):
                yield piece

        return await Uploads(self.database, self.clock).take(new, pieces())

    async def read(self, import_id: UUID) -> Row:
        await self.worker.read(await self.imports.known(import_id, CALLER))
        return await self.imports.known(import_id, CALLER)

    async def row(self, import_id: UUID) -> Row:
        return await self.imports.known(import_id, CALLER)


@pytest_asyncio.fixture
async def desk(databases: Databases) -> AsyncIterator[Desk]:
    async def prepare(dsn: str) -> None:
        await asyncio.to_thread(migrate, "rapport_gateway", dsn)

    async with (
        databases.fresh(await databases.template("gateway", prepare)) as dsn,
        Database(dsn, size=4, application="test") as database,
    ):
        yield Desk(database)


def people(count: int) -> bytes:
    return csv_bytes(["客户编号", "姓名"], *([f"K-{n}", "王小明"] for n in range(count)))


async def test_whoever_takes_over_sends_the_same_touchpoints_and_all_of_them(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "LOOKED_SECONDS", 0)
    import_id = await desk.upload(people(ROWS))
    assert (await desk.read(import_id))["state"] == "checked"
    await desk.imports.run(import_id, CALLER)
    async with desk.database.transaction() as connection:
        await connection.execute("CREATE TABLE kept AS SELECT * FROM import_row")
    expected = {
        message["value"]
        for row in await desk.database.fetch("SELECT messages FROM kept")
        for message in orjson.loads(row["messages"])
    }
    assert len(expected) == ROWS

    plans = st.lists(st.sampled_from(["answers", "breaks", "dies"]), max_size=8)

    @settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
    @given(plans)
    def whatever_happens(plan: list[str]) -> None:
        desk.broker = Broker(plan)
        asyncio.run_coroutine_threadsafe(run_to_its_end(desk, import_id), loop).result(60)
        assert {(value or b"").decode() for _, value in desk.broker.kept} == expected
        repeated = Counter(id_ for id_, _ in desk.broker.kept)
        bodies = Counter(id_ for id_, _ in set(desk.broker.kept))
        assert len(repeated) == ROWS
        assert set(bodies.values()) == {1}

    loop = asyncio.get_running_loop()
    await asyncio.to_thread(whatever_happens)


async def run_to_its_end(desk: Desk, import_id: UUID) -> None:
    async with desk.database.transaction() as connection:
        await connection.execute("DELETE FROM import_row")
        await connection.execute("INSERT INTO import_row SELECT * FROM kept")
        await connection.execute("UPDATE import SET sent = 0")
    while (row := await desk.row(import_id))["sent"] < ROWS:
        try:
            await desk.worker.advance(row)
        except Died:
            continue  # another process leads now
    assert row["sent"] == ROWS
    way = await row_store.on_their_way(desk.database, import_id)
    assert len(way) == ROWS


async def test_what_channels_report_waits_behind_so_many_rows_and_no_more(desk: Desk) -> None:
    import_id = await desk.upload(people(5 * SENT_AT_ONCE))
    await desk.read(import_id)
    await desk.imports.run(import_id, CALLER)
    for _ in range(3):
        await desk.worker.advance(await desk.row(import_id))
    assert (await desk.row(import_id))["sent"] == 4 * SENT_AT_ONCE


async def test_the_same_file_is_the_same_import_and_another_mapping_is_other_work(desk: Desk) -> None:
    import_id = await desk.upload(people(3))
    first = await desk.read(import_id)
    assert await desk.upload(people(3)) == import_id
    assert await desk.upload(people(4)) != import_id
    assert await desk.upload(people(3)) == import_id
    digests = await desk.database.fetch("SELECT work_digest FROM import_work")
    assert [row["work_digest"] for row in digests] == [first["work_digest"]]
    mapping = SheetMapping.model_validate({"columns": [{"column": "客户编号", "field": "record"}]})
    await desk.imports.map(import_id, None, mapping, CALLER)
    second = await desk.read(import_id)
    assert second["work_digest"] != first["work_digest"]


async def test_a_repeat_after_everything_was_forgotten_gives_the_same_touchpoints(desk: Desk) -> None:
    async def values() -> list[str]:
        return [row["messages"] for row in await desk.database.fetch("SELECT messages FROM import_row ORDER BY number")]

    import_id = await desk.upload(people(3))
    await desk.read(import_id)
    before = await values()
    await desk.imports.cancel(import_id, CALLER)
    assert await values() == []
    desk.now += timedelta(days=40)
    assert await desk.upload(people(3)) == import_id
    await desk.read(import_id)
    assert await values() == before


async def test_rows_and_files_are_forgotten_thirty_days_after_the_end(desk: Desk) -> None:
    async def left() -> list[int]:
        return [
            await desk.database.fetch_value(f"SELECT count(*) FROM {table}") for table in ("import_row", "import_chunk")
        ]

    checked = await desk.upload(people(3))
    await desk.read(checked)
    failed = await desk.upload(csv_bytes(["13800138000", "x@example.com"]))
    assert (await desk.read(failed))["state"] == "failed"
    assert await left() == [3, 1]
    for days, expected in ((29, [3, 1]), (2, [0, 0])):
        desk.now += timedelta(days=days)
        async with desk.database.transaction() as connection:
            await store.forget_old(connection, desk.now)
        assert await left() == expected
    row = await desk.row(checked)
    assert (row["state"], row["report"], row["rows"]) == ("cancelled", None, 3)
    assert row["forgotten_at"] is not None


async def test_an_import_that_is_cancelled_while_it_is_read_keeps_nothing(desk: Desk) -> None:
    import_id = await desk.upload(people(ROWS))
    reading = asyncio.create_task(desk.read(import_id))

    async def some_are_judged() -> bool:
        return bool((await desk.row(import_id))["rows"])

    await until("the first rows", some_are_judged)
    await desk.imports.cancel(import_id, CALLER)
    row = await reading
    assert row["state"] == "cancelled"
    assert await desk.database.fetch_value("SELECT count(*) FROM import_row") == 0


async def test_a_mapping_that_comes_while_the_sheet_is_read_is_the_one_that_counts(desk: Desk) -> None:
    import_id = await desk.upload(people(ROWS))
    reading = asyncio.create_task(desk.read(import_id))

    async def some_are_judged() -> bool:
        return bool((await desk.row(import_id))["rows"])

    await until("the first rows", some_are_judged)
    mapping = SheetMapping.model_validate({"columns": [{"column": "客户编号", "field": "record"}]})
    await desk.imports.map(import_id, None, mapping, CALLER)
    assert (await reading)["state"] == "waiting"
    row = await desk.read(import_id)
    assert (row["state"], row["rows"], row["attempt"]) == ("checked", ROWS, 3)
    assert "姓名" not in row["resolved"]


async def test_the_same_file_twice_at_once_is_one_import(desk: Desk) -> None:
    made = await asyncio.gather(*(desk.upload(people(3)) for _ in range(4)))
    assert len(set(made)) == 1
    assert await desk.database.fetch_value("SELECT count(*) FROM import") == 1
    assert (await desk.read(made[0]))["rows"] == 3


async def test_an_upload_that_breaks_off_or_is_no_sheet_leaves_nothing(desk: Desk) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"id,name\r\n" * 100_000
        raise ConnectionError

    wanted = Wanted("a.csv", "erp", None, None, True, None, None)
    new = await desk.imports.plan(wanted, CALLER)
    for body, error in ((broken(), ConnectionError), (_once(b"\x89PNG\r\n\x1a\n\0\0"), Problem)):
        try:
            await Uploads(desk.database, desk.clock).take(new, body)
        except error:
            pass
        else:
            raise AssertionError("it was taken")
    assert await desk.database.fetch("SELECT 1 FROM import") == []


async def _once(piece: bytes) -> AsyncIterator[bytes]:
    yield piece
