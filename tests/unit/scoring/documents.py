"""Commerce documents for tests, by the data a channel would send."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from rapport_scoring.domain.ledger.documents import Statement, value_day
from rapport_scoring.domain.ledger.lines import LedgerLine
from rapport_scoring.domain.ledger.policy import LedgerPolicy
from rapport_scoring.domain.ledger.reckoning import Ledger
from rapport_shared.contracts.ids import derived_id
from rapport_shared.contracts.touchpoints import DocumentTouchpoint, document_key, read_touchpoint, revision

START = datetime(2026, 3, 1, 9, tzinfo=UTC)
POLICY = LedgerPolicy(handling_cost={"CNY": 500})
PROFILE = UUID("00000000-0000-5000-8000-000000000001")


def document(kind: str, minute: int = 0, *, profile: UUID = PROFILE, system: str = "erp", **data: Any) -> Statement:
    """The statement of a document, as recorded `minute` minutes after the start; equal data give equal ids."""
    event_id = derived_id("test", kind, minute, profile, sorted(data.items(), key=str))
    body = {
        "id": str(event_id),
        "channel": "erp",
        "kind": kind,
        "occurred_at": (START + timedelta(minutes=minute)).isoformat(),
        "source": {"system": system, "record": "C-1"},
        "data": {name.rstrip("_"): value for name, value in data.items()},
    }
    touchpoint: DocumentTouchpoint = read_touchpoint(body)  # type: ignore[assignment]
    return Statement(
        event_id,
        profile,
        document_key(touchpoint),
        kind,
        revision(touchpoint),
        touchpoint.occurred_at,
        None,
        touchpoint.data,
        value_day(touchpoint.data, touchpoint.occurred_at, UTC),
    )


def line(name: str, quantity: str, net: int, **more: Any) -> dict[str, Any]:
    """A line of any document."""
    return {"line": name, "quantity": quantity, "net": net, **more}


def order(number: str, minute: int = 0, *lines: dict[str, Any], **more: Any) -> Statement:
    """An order in CNY, its totals made from lines and charges."""
    net = sum(entry["net"] for entry in [*lines, *more.get("charges", [])])
    totals = {"net": net, "tax": 0, "gross": net, "currency": "CNY"}
    return document("order.placed", minute, **{**totals, "order": number, "lines": list(lines), **more})


def day(number: int) -> date:
    """The `number`-th day from the start."""
    return START.date() + timedelta(days=number)


def on(number: int, **data: Any) -> dict[str, Any]:
    """The data of a document that counts on the `number`-th day."""
    return {"value_date": day(number).isoformat(), **data}


def invoice(number: str, on_day: int, gross: int, *terms: tuple[int, int], **more: Any) -> Statement:
    """An invoice in CNY of one line and no tax; `terms` are the days after the start and amounts that fall due."""
    due = [{"due_on": day(days).isoformat(), "amount": amount} for days, amount in terms]
    data = {"currency": "CNY", "net": gross, "gross": gross, "lines": [line("x", "1", gross)], "terms": due}
    return document("invoice.issued", 0, **on(on_day, invoice=number, **{**data, **more}))


def payment(number: str, on_day: int, amount: int, *invoices: str, **more: Any) -> Statement:
    """A payment in CNY; all of it is allocated to each of the `invoices` (which are one, or none)."""
    allocations = [{"invoice": name, "amount": amount} for name in invoices]
    data = {"currency": "CNY", "amount": amount, "allocations": allocations}
    return document("payment.received", 0, **on(on_day, payment=number, **{**data, **more}))


def within(book: Ledger, since: date, until: date) -> tuple[LedgerLine, ...]:
    """The lines of a ledger that count on a day from `since` (inclusive) to `until` (exclusive)."""
    return tuple(entry for entry in book.lines if since <= entry.day < until)
