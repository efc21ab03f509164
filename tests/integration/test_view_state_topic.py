"""The state topic: the present state of what changed, once for many changes, and true after a takeover."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.local.infrastructure import Infrastructure
from rapport_gateway.projection.state_topic import StatePublisher, state_text
from rapport_gateway.projection.store.runs import Run
from rapport_gateway.projection.store.views import StoredView
from rapport_shared.clock import system_clock
from rapport_shared.contracts.catalogue import CUSTOMER_VIEW_STATE
from rapport_shared.contracts.gateway import CustomerViewState
from rapport_shared.contracts.ids import source_profile_id
from rapport_shared.contracts.view import CustomerSections
from rapport_shared.database import Database
from rapport_shared.messaging.reader import BatchReader
from rapport_shared.messaging.topics import administration, apply
from tests.support.conditions import until
from tests.support.view_desk import Desk

States = dict[UUID, list[dict[str, Any]]]
"""What the topic holds of each customer, the latest last."""


@given(
    st.builds(
        StoredView,
        customer_id=st.uuids(),
        version=st.integers(1, 2**40),
        seq=st.just(0),
        as_of=st.datetimes(timezones=st.just(UTC)),
        moved_to=st.none() | st.uuids(),
        sections=st.dictionaries(st.sampled_from(["segments", "assets"]), st.just("[]")),
    ),
    st.integers(1, 99),
)
def test_the_text_of_a_state_is_the_contract(view: StoredView, run: int) -> None:
    merged = view.moved_to is not None
    sections = {name: orjson.loads(text) for name, text in view.sections.items()}
    expected = CustomerViewState(
        customer_id=view.customer_id,
        run=run,
        version=view.version,
        moved_to=view.moved_to,
        as_of=None if merged else view.as_of,
        sections=None if merged else CustomerSections(**sections),
    )
    text = state_text(view, run)
    assert CustomerViewState.model_validate_json(text) == expected
    assert list(orjson.loads(text)) == list(CustomerViewState.model_fields)


@asynccontextmanager
async def publishing(desk: Desk, kafka: str) -> AsyncIterator[None]:
    """A publisher of the desk's run, for as long as the body runs."""

    def open_run(run: Run) -> Database:
        return Database(desk.tables.dsn, size=2, application="test", search_path=f"{run.schema}, public")

    publisher = StatePublisher(desk.tables, open_run, kafka, system_clock, pace_seconds=0.05)
    task = asyncio.create_task(publisher.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def states(kafka: str, customers: set[UUID]) -> States:
    """What the topic says of customers."""
    found: States = {customer_id: [] for customer_id in customers}
    async with BatchReader(kafka, "test", max_records=500) as reader:
        bounds = await reader.bounds(await reader.partitions([CUSTOMER_VIEW_STATE.name]))
        for partition, (begin, end) in bounds.items():
            reader.assign({partition: begin})
            position = begin
            while position < end:
                for record in await reader.poll():
                    position = record.offset + 1
                    key = UUID((record.key or b"").decode())
                    if key in customers and record.value is not None:
                        found[key].append(orjson.loads(record.value))
    return found


@pytest.fixture
def records() -> tuple[str, str]:
    """Two records that no other test has."""
    return f"anna-{uuid4()}", f"acme-{uuid4()}"


async def test_many_changes_are_one_state_and_a_takeover_repeats_what_is_true(
    desk: Desk, infrastructure: Infrastructure, records: tuple[str, str]
) -> None:
    kafka, (anna, acme) = infrastructure.kafka, records
    async with administration(kafka) as client:
        await apply(client, 3, 1)
    own, other = (source_profile_id("crm", record) for record in records)
    for number in range(10):
        await desk.take([desk.profile(anna, f"Anna {number}"), desk.profile(acme, "Acme")])

    async def shown(customer_id: UUID, count: int) -> Any:
        found = (await states(kafka, {customer_id}))[customer_id]
        return found if len(found) >= count else None

    async with publishing(desk, kafka):
        [first] = await until("the state of a customer", lambda: shown(own, 1))
        assert (first["version"], first["sections"]["identity"]["display_name"]) == (10, "Anna 9")
        await desk.take([desk.merged(anna, acme)])
        moved = (await until("that it was merged away", lambda: shown(own, 2)))[-1]
        assert (moved["moved_to"], moved["version"], moved["sections"]) == (str(other), 11, None)
        settling = (await until("the survivor", lambda: shown(other, 2)))[-1]
        assert settling["sections"]["commerce"]["settling"] is True
    await desk.take([desk.merged(anna, acme, undone=True)])
    async with publishing(desk, kafka):  # another process takes over
        again = (await until("the customer again", lambda: shown(own, 3)))[-1]
        assert (again["moved_to"], again["version"]) == (None, 12)
        parted = (await until("the other again", lambda: shown(other, 3)))[-1]
        assert parted["sections"]["commerce"]["settling"] is False
