"""Two companies of the same revenue: one buys much and pays late, one buys little and often and pays ahead.

It is the worked case of docs/value.md, dated so that its ninetieth day is the day after loading.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from deploy.local.demo.touchpoints import touchpoint

__all__ = ["MIRAGE_EMAIL", "PEACH_EMAIL", "closing_call", "mirage", "peach", "wallet_of_today"]

MIRAGE_EMAIL, PEACH_EMAIL = "purchasing@mirage.example.com", "office@peachspring.example.com"
UNIT = "trading/china"
PREPAID_ORDERS = 10
"""Peach Spring pays ahead for so many orders at a time."""

Report = Callable[..., dict[str, Any]]


def mirage(today: date) -> Iterator[dict[str, Any]]:
    """A, 海市蜃楼机械: an order a month for five months, half of it on credit; we deliver; rivals have two thirds,
    which is told today."""
    report = _reporter("mirage", today)
    yield report(
        "profile",
        "profile.reported",
        160,
        _company("海市蜃楼机械有限公司 (Mirage Machinery)", "machinery"),
        MIRAGE_EMAIL,
    )
    for days_ago in (149, 119, 89, 59, 29):
        yield from _large_order(report, today, days_ago)
    for days_ago, subject in ((75, "问交货期"), (20, "机器停了，要求加急发货")):
        yield report(f"call-{days_ago}", "call.ended", days_ago, _call(subject, 600), MIRAGE_EMAIL)


def _large_order(report: Report, today: date, days_ago: int) -> Iterator[dict[str, Any]]:
    """¥100,000 after 12 % discount, freight on us; half is billed at once and half with 45 days, both paid when due."""
    number = f"MM-{149 - days_ago:03d}"
    yield report(f"order-{number}", "order.placed", days_ago, _order(number, 10_000_000, 11_363_636))
    freight = {"shipment": number, "order": number, "freight": {"cost": 300_000, "paid_by": "us"}}
    yield report(f"shipment-{number}", "shipment.delivered", days_ago, freight)
    for name, after in ((f"{number}-now", 0), (f"{number}-later", 45)):
        line = {"line": "1", "quantity": "1", "order": number, "order_line": "1", "net": 5_000_000}
        invoice = _invoice(name, [line], today - timedelta(days=days_ago - after))
        yield report(f"invoice-{name}", "invoice.issued", days_ago, invoice)
        if days_ago > after:
            paid = _payment(name, 5_000_000, name)
            yield report(f"payment-{name}", "payment.received", days_ago - after, paid)


def peach(today: date) -> Iterator[dict[str, Any]]:
    """B, 桃花源食品: 360 orders of ¥10,000 in three years, ten of them paid ahead at a time; it buys from us alone."""
    report = _reporter("peach", today)
    yield report(
        "profile", "profile.reported", 1090, _company("桃花源食品有限公司 (Peach Spring Foods)", "food"), PEACH_EMAIL
    )
    yield report("wallet", "wallet.reported", 1080, _wallet(today, 1080, 10_000_000, single_source=True))
    for begun in range(1079, 0, -3 * PREPAID_ORDERS):
        yield from _prepaid_orders(report, today, begun)


def _prepaid_orders(report: Report, today: date, begun: int) -> Iterator[dict[str, Any]]:
    """A payment, the orders that it is for, and one invoice over them all."""
    bill = f"PS-{1079 - begun:04d}"
    yield report(f"payment-{bill}", "payment.received", begun, _payment(bill, 1_000_000 * PREPAID_ORDERS, bill))
    lines = []
    for place in range(PREPAID_ORDERS):
        number = f"{bill}-{place}"
        yield report(f"order-{number}", "order.placed", begun - 3 * place, _order(number, 1_000_000, 1_052_632))
        lines.append({"line": str(place), "quantity": "2", "order": number, "order_line": "1", "net": 1_000_000})
    yield report(f"invoice-{bill}", "invoice.issued", begun, _invoice(bill, lines, today - timedelta(days=begun)))


def wallet_of_today(now: datetime, today: date) -> dict[str, Any]:
    """What A says today that it needs in all: no history, so the playbook makes an opportunity of it."""
    rivals = [{"name": "Castle in the Air Ltd", "amount": 15_000_000}, {"name": "镜中花公司", "amount": 8_000_000}]
    return touchpoint(
        f"mirage-wallet-{today}",
        channel="erp",
        unit=UNIT,
        kind="wallet.reported",
        at=now.replace(microsecond=0),
        source={"system": "trading-erp", "record": "mirage"},
        data=_wallet(today, 150, 33_000_000, rivals=rivals),
    )


def closing_call(now: datetime, purchases: int | None) -> dict[str, Any]:
    """The last touchpoint of the demo, under an id that never changes: once it is recorded, all of it is loaded."""
    return touchpoint(
        f"closing-call-{purchases or 'all'}",
        channel="phone",
        unit=UNIT,
        kind="call.ended",
        at=now.replace(microsecond=0),
        identifiers=[{"type": "email", "value": MIRAGE_EMAIL}],
        data=_call("来电投诉：上次送货延误三天", 600) | {"outcome": "complaint"},
    )


def _reporter(company: str, today: date) -> Report:
    """What makes touchpoints of a company, each so many days before `today`; another day's are others."""

    def report(name: str, kind: str, days_ago: int, data: dict[str, Any], email: str | None = None) -> dict[str, Any]:
        at = datetime.combine(today - timedelta(days=days_ago), time(2), UTC)  # ten in the morning there
        called = {"identifiers": [{"type": "email", "value": email}]} if email is not None else {}
        source = {} if kind == "call.ended" else {"source": {"system": "trading-erp", "record": company}}
        return touchpoint(
            f"{company}-{name}-{today}",
            channel="phone" if kind == "call.ended" else "erp",
            historical=True,
            unit=UNIT,
            kind=kind,
            at=at,
            data=data,
            **called,
            **source,
        )

    return report


def _company(name: str, industry: str) -> dict[str, Any]:
    return {"kind": "company", "name": {"display": name}, "industry": industry}


def _wallet(today: date, days_ago: int, amount: int, **more: Any) -> dict[str, Any]:
    since = (today - timedelta(days=days_ago)).isoformat()
    return {"category": "parts", "from": since, "amount": amount, "currency": "CNY", "basis": "declared", **more}


def _order(number: str, net: int, listed: int) -> dict[str, Any]:
    """Goods that cost 70 % of the list price."""
    line = {"line": "1", "sku": "PART-7", "category": "parts", "quantity": "2", "net": net}
    line |= {"list": listed, "discount": listed - net, "cost": round(listed * 0.7)}
    return {"order": number, "currency": "CNY", "lines": [line], "net": net, "gross": net}


def _invoice(name: str, lines: list[dict[str, Any]], due_on: date) -> dict[str, Any]:
    total = sum(line["net"] for line in lines)
    terms = [{"due_on": due_on.isoformat(), "amount": total}]
    return {"invoice": name, "currency": "CNY", "lines": lines, "net": total, "gross": total, "terms": terms}


def _payment(name: str, amount: int, invoice: str) -> dict[str, Any]:
    allocations = [{"invoice": invoice, "amount": amount}]
    return {"payment": name, "currency": "CNY", "amount": amount, "allocations": allocations}


def _call(subject: str, seconds: int) -> dict[str, Any]:
    effort = {"talk_s": seconds - 60, "wrap_s": 60}
    return {"direction": "inbound", "subject": subject, "effort": effort}
