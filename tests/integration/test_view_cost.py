"""One more event costs the view the same, whatever the customer has: statements and rows read are counted, not time."""

from collections.abc import Callable

from rapport_gateway.projection.projector import Projector
from rapport_gateway.view.facts import Fact
from rapport_shared.clock import system_clock
from rapport_shared.contracts.ids import derived_id
from rapport_shared.database import Connection
from tests.support.view_desk import AT, Desk

FEW, MANY = 10, 10_000
BATCH = 1_000
_ROWS_READ = """
SELECT coalesce(sum(seq_tup_read + idx_tup_fetch), 0)::bigint FROM pg_stat_xact_user_tables WHERE schemaname = $1
"""
Cost = tuple[int, int]
"""Statements, and rows that PostgreSQL read for them."""


def call(desk: Desk, record: str) -> Fact:
    promise = {"text": "We call back.", "due_at": AT.isoformat()}
    return desk.recorded(record, "call.ended", {"direction": "inbound", "promises": [promise]})


def order(desk: Desk, record: str) -> Fact:
    return desk.recorded(record, "order.placed", {"order": str(desk.count), "currency": "CNY", "net": 1})


def history(desk: Desk, record: str, count: int) -> list[Fact]:
    """A customer's past: calls with promises, orders, tickets open and resolved, merge candidates, a score for each."""
    made = [desk.profile(record, record)]
    while len(made) < count:
        ticket_id = derived_id(record, len(made))
        made += [call(desk, record), order(desk, record), desk.score(record, len(made))]
        made += [desk.ticket(record, ticket_id, is_open=bool(len(made) % 2))]
    return made[:count]


async def cost_of(desk: Desk, projector: Projector, fact: Fact) -> Cost:
    """What it costs a projector to take in one event."""
    statements: list[str] = []
    async with desk.tables.connection() as connection, connection.transaction():
        before = await _rows_read(desk, connection)
        with connection.query_logger(lambda query: statements.append(query.query)):
            await projector.apply(connection, [fact])
        rows = await _rows_read(desk, connection) - before
    return len(statements), rows


async def _rows_read(desk: Desk, connection: Connection) -> int:
    return int(await connection.fetchval(_ROWS_READ, desk.run.schema))


async def test_one_more_event_reads_as_much_of_a_large_customer_as_of_a_small_one(desk: Desk) -> None:
    calls: dict[str, list[Fact]] = {}
    for record, count in (("few", FEW), ("many", MANY)):
        facts = history(desk, record, count)
        calls[record] = [fact for fact in facts if fact.data.get("kind") == "call.ended"]
        for start in range(0, count, BATCH):
            await desk.take(facts[start : start + BATCH])
    await desk.tables.fetch("ANALYZE")
    happenings: dict[str, Callable[[str], Fact]] = {
        "a call": lambda record: call(desk, record),
        "an order": lambda record: order(desk, record),
        "a score": lambda record: desk.score(record, 1),
        "a ticket": lambda record: desk.ticket(record, derived_id(record, "new")),
        "a ticket that is resolved": lambda record: desk.ticket(record, derived_id(record, "new"), is_open=False),
        "an edit": lambda record: desk.profile(record, f"{record} called otherwise"),
        "a retraction": lambda record: desk.retracted(calls[record].pop()),
    }
    knowing = Projector(desk.run, desk.tables, system_clock, _nobody)
    for record in ("few", "many"):
        await cost_of(desk, knowing, order(desk, record))
    for what, happens in happenings.items():
        for knows in (True, False):
            costs = {}
            for record in ("few", "many"):
                projector = knowing if knows else Projector(desk.run, desk.tables, system_clock, _nobody)
                costs[record] = await cost_of(desk, projector, happens(record))
                if not knows:  # another writer wrote meanwhile
                    await cost_of(desk, knowing, order(desk, record))
            assert_bound(f"{what}, {'known' if knows else 'not known'}", costs["few"], costs["many"])


def assert_bound(what: str, few: Cost, many: Cost) -> None:
    """At most twice the rows, and a few more where the lists of a small customer are not full yet."""
    print(what, few, many)
    assert many[0] <= few[0] + 1, f"{what}: {few[0]} statements of a small customer, {many[0]} of a large one"
    assert many[1] <= 2 * few[1] + 15, f"{what}: {few[1]} rows of a small customer, {many[1]} of a large one"


async def test_a_batch_of_known_customers_takes_a_handful_of_statements(desk: Desk) -> None:
    records = [f"record-{number}" for number in range(50)]
    await desk.take([desk.profile(record, record) for record in records])
    statements: list[str] = []
    async with desk.tables.connection() as connection, connection.transaction():
        with connection.query_logger(lambda query: statements.append(query.query)):
            await desk.projector.apply(connection, [order(desk, record) for record in records])
    assert len(statements) <= 2, statements
    statements.clear()
    async with desk.tables.connection() as connection, connection.transaction():
        with connection.query_logger(lambda query: statements.append(query.query)):
            await desk.projector.apply(connection, [call_of(desk, record) for record in records])
    assert len(statements) <= 2, statements


def call_of(desk: Desk, record: str) -> Fact:
    return desk.recorded(record, "call.ended", {"direction": "inbound"})


async def _nobody() -> None:
    return
