"""What one assessment of a customer costs, by how much is known of it; no infrastructure."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from statistics import median
from time import thread_time
from typing import Any, Final
from uuid import UUID

import orjson

from rapport_scoring.domain.assessment import Occasion, assess_facts
from rapport_scoring.domain.customer import CustomerFacts
from rapport_scoring.domain.memory import Memory
from rapport_scoring.domain.rules import shipped_rules
from rapport_scoring.recorded import facts
from rapport_shared.contracts.ids import derived_id
from rapport_shared.contracts.touchpoints import MODEL_OF
from tests.benchmarks.figures import Figure, size

DOCUMENTS: Final = (5, 50, 500)
CONTACTS: Final = 10_000
TURNS, QUICK_TURNS = 15, 3
NOW: Final = datetime(2026, 11, 1, tzinfo=UTC)
PROFILE: Final = derived_id("assessing", "profile")


def measure(quick: bool) -> list[Figure]:
    """`assess_…`: CPU time of one assessment after another fact; `facts_…` that of making facts of the rows before it.

    A customer of documents has orders, what delivers, bills and pays them, and some of what undoes them, over three
    years; the other has a few documents and 10,000 contacts. The best of several turns, for the machine is shared.
    """
    turns = QUICK_TURNS if quick else TURNS
    worlds = {f"{number}_documents": documents(number, seed=number) for number in DOCUMENTS}
    worlds[f"{CONTACTS}_contacts"] = documents(5, seed=1) + contacts(CONTACTS, seed=1)
    return [figure for name, rows in worlds.items() for figure in _of_customer(name, rows, turns)]


def customer(rows: list[dict[str, Any]]) -> CustomerFacts:
    """A customer of one profile, of whom `rows` were recorded."""
    kept: Any = rows
    found = facts(kept)
    return CustomerFacts(
        PROFILE,
        (PROFILE,),
        statements=found.statements,
        contacts=found.contacts,
        earliest=found.earliest,
        latest=found.latest,
        last_day=found.last_day,
        history=found.history,
    )


def _of_customer(name: str, rows: list[dict[str, Any]], turns: int) -> Iterator[Figure]:
    rules, before = shipped_rules(), assess_facts(customer(rows[:-1]), shipped_rules(), Memory(), Occasion(NOW)).memory
    read, assessed = [], []
    for _ in range(turns):
        began = thread_time()
        known = customer(rows)
        made = thread_time()
        found = assess_facts(known, rules, before, Occasion(NOW))
        found.score.model_dump_json()
        assessed.append(thread_time() - made)
        read.append(made - began)
    yield size(f"facts_{name}", min(read) * 1e6, "µs of CPU")
    yield size(f"assess_{name}", min(assessed) * 1e6, "µs of CPU")
    yield size(f"assess_{name}_median", median(assessed) * 1e6, "µs of CPU")


def documents(count: int, seed: int) -> list[dict[str, Any]]:
    """The rows of `count` documents of one customer, by moment."""
    chance, rows = random.Random(seed), []
    for number in range(count):
        at = NOW - timedelta(days=1000) + timedelta(days=1000) * number / count
        rows += _deal(chance, number, at)
    return sorted(rows[:count], key=lambda row: (row["occurred_at"], row["event_id"]))


def contacts(count: int, seed: int) -> list[dict[str, Any]]:
    """The rows of `count` contacts of one customer, by moment."""
    chance, rows = random.Random(seed), []
    for number in range(count):
        kind, channel = chance.choice([("call.ended", "phone"), ("email.sent", "email"), ("chat.message", "chat")])
        body = {"direction": chance.choice(["inbound", "outbound"]), "seconds": chance.randrange(900), "cost": None}
        at = NOW - timedelta(days=1000) + timedelta(days=1000) * number / count
        rows.append(_row(kind, derived_id("assessing", seed, "contact", number), at, body, channel))
    return rows


def _deal(chance: random.Random, number: int, at: datetime) -> list[dict[str, Any]]:
    """An order, and what commonly follows it."""
    order, net = f"O{number}", chance.randrange(10_000, 500_000)
    goods = [
        {
            "line": str(place),
            "quantity": "2",
            "net": part,
            "list": part * 11 // 10,
            "cost": chance.choice([None, part * 6 // 10]),
            "sku": f"S{chance.randrange(40)}",
            "category": f"C{chance.randrange(6)}",
        }
        for place, part in enumerate([net // 3, net // 3, net - 2 * (net // 3)], 1)
    ]
    totals = {"currency": "CNY", "net": net, "tax": 0, "gross": net}
    rows = [_document("order.placed", order, at, {**totals, "order": order, "lines": goods})]
    roll = chance.random()
    if roll < 0.5:
        due = (at + timedelta(days=34)).date().isoformat()
        bills = [{**one, "order": order, "order_line": one["line"]} for one in _bare(goods)]
        terms = [{"due_on": due, "amount": net}]
        invoice = {**totals, "invoice": f"I{number}", "lines": bills, "terms": terms}
        rows.append(_document("invoice.issued", f"I{number}", at + timedelta(days=4), invoice))
        if roll < 0.4:
            paid = [{"invoice": f"I{number}", "amount": net, "cash_discount": 0}]
            payment = {"payment": f"P{number}", "currency": "CNY", "amount": net, "allocations": paid}
            rows.append(_document("payment.received", f"P{number}", at + timedelta(days=20), payment))
    elif roll < 0.65:
        freight = {"cost": net // 50, "paid_by": "us"}
        shipment = {"shipment": f"D{number}", "order": order, "lines": [], "freight": freight}
        rows.append(_document("shipment.delivered", f"D{number}", at + timedelta(days=2), shipment))
    elif roll < 0.72:
        back = {"return": f"R{number}", "order": order, "lines": [{**_bare(goods)[0], "quantity": "1"}]}
        rows.append(_document("order.returned", f"R{number}", at + timedelta(days=9), back))
    elif roll < 0.78:
        rows.append(
            _document(
                "order.cancelled", f"X{number}", at + timedelta(days=1), {"cancellation": f"X{number}", "order": order}
            )
        )
    elif roll < 0.85:
        cost = {"cost": f"K{number}", "about": {"order": order}, "type": "freight", "amount": net // 60}
        rows.append(_document("cost.reported", f"K{number}", at + timedelta(days=5), cost))
    return rows


def _bare(goods: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: one[name] for name in ("line", "quantity", "net")} for one in goods]


def _document(kind: str, number: str, at: datetime, data: dict[str, Any]) -> dict[str, Any]:
    model: Any = MODEL_OF[kind].model_fields["data"].annotation
    family = {"order.cancelled": "cancellation", "order.returned": "return"}.get(kind, kind.partition(".")[0])
    named = {"system": "erp", "family": family, "number": number}
    read = model.model_validate(data).model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return _row(kind, derived_id("assessing", kind, number), min(at, NOW), read, "erp") | named


def _row(kind: str, event_id: UUID, at: datetime, body: dict[str, Any], channel: str) -> dict[str, Any]:
    """A row as the store answers it."""
    return {
        "event_id": event_id,
        "profile_id": PROFILE,
        "system": None,
        "family": None,
        "number": None,
        "kind": kind,
        "revision": 1,
        "occurred_at": at,
        "recorded_at": at,
        "unit": None,
        "data": orjson.dumps(body).decode(),
        "historical": False,
        "channel": channel,
        "time_zone": None,
    }
