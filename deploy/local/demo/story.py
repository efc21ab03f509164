"""What the demo tells: made by a seeded generator, save for the purchases of the web shop, which are real.

The same seed makes the same touchpoints under the same ids, so that loading them again changes nothing. What is dated
by the day of loading has that day in its id; its documents have the same numbers on any day, and replace each other.
"""

from __future__ import annotations

import gzip
import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from deploy.local.demo.touchpoints import touchpoint

__all__ = ["SHOWN_PHONE", "UNITS", "car_maker", "cdnow", "duplicates", "trading_company"]

_CDNOW = Path(__file__).with_name("cdnow_sample.txt.gz")
CDNOW_ENDED = date(1998, 6, 30)
SEED = 20260301
SHOWN_PHONE = "13800138000"
"""The phone of 王小明, whom the first `curl` shows."""

UNITS: dict[str, dict[str, str]] = {
    "cars": {"name": "Car maker, headquarters", "time_zone": "Asia/Shanghai", "currency": "CNY", "phone_region": "CN"},
    "cars/shanghai": {"name": "Shanghai branch", "time_zone": "Asia/Shanghai", "currency": "CNY", "phone_region": "CN"},
    "cars/beijing": {"name": "Beijing branch", "time_zone": "Asia/Shanghai", "currency": "CNY", "phone_region": "CN"},
    "trading": {"name": "Trading company", "time_zone": "Europe/Berlin", "currency": "EUR", "phone_region": "DE"},
    "trading/china": {
        "name": "Trading in China",
        "time_zone": "Asia/Shanghai",
        "currency": "CNY",
        "phone_region": "CN",
    },
    "shop": {"name": "Web shop", "time_zone": "America/New_York", "currency": "USD", "phone_region": "US"},
}
_FAMILY = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗"
_GIVEN = (
    "小明",
    "芳",
    "伟",
    "娜",
    "秀英",
    "敏",
    "静",
    "丽",
    "强",
    "磊",
    "军",
    "洋",
    "勇",
    "艳",
    "杰",
    "娟",
    "涛",
    "超",
)
_MODELS = ("A3 sedan", "T5 SUV", "E1 electric")


def car_maker(today: datetime, owners: int = 60) -> Iterator[dict[str, Any]]:
    """Vehicle owners of two branches: delivery, services, calls; the first one complains, late, and has a promise."""
    rng = random.Random(SEED)
    for number in range(owners):
        unit = ("cars/shanghai", "cars/beijing")[number % 2]
        name = "王小明" if number == 0 else rng.choice(_FAMILY) + rng.choice(_GIVEN)
        phone = SHOWN_PHONE if number == 0 else f"139{rng.randrange(10**8):08d}"
        delivered = datetime(2022, 1, 10, 2, tzinfo=UTC) + timedelta(days=rng.randrange(900))
        yield from _vehicle_owner(rng, number, name, phone, unit, delivered)
    yield from _late_complaint(today)


def _vehicle_owner(
    rng: random.Random, number: int, name: str, phone: str, unit: str, delivered: datetime
) -> Iterator[dict[str, Any]]:
    source = {"system": "dealer-erp", "record": f"V-{number:05d}"}
    identifiers = [{"type": "phone", "value": phone, "region": "CN", "verified": True}]
    common = {"channel": "erp", "historical": True, "source": source, "unit": unit}
    serial = f"LRPT{number:013d}"
    yield touchpoint(
        f"car-profile-{number}",
        **common,
        kind="profile.reported",
        at=delivered - timedelta(days=14),
        identifiers=identifiers,
        data={"kind": "person", "name": {"display": name}, "language": "zh"},
    )
    model = rng.choice(_MODELS)
    asset = {"serial": serial, "plate": f"沪A{10000 + number}", "type": "vehicle", "model": model}
    yield touchpoint(f"car-delivery-{number}", **common, kind="asset.delivered", at=delivered, data=asset)
    for visit in range(1, rng.randrange(2, 6)):
        at = delivered + timedelta(days=180 * visit + rng.randrange(30))
        work_order = f"W-{number:05d}-{visit}"
        data = {**asset, "work_order": work_order, "mileage": 9_000 * visit + rng.randrange(2_000), "work": ["service"]}
        yield touchpoint(f"car-service-{number}-{visit}", **common, kind="asset.serviced", at=at, data=data)
        yield touchpoint(
            f"car-call-{number}-{visit}",
            channel="phone",
            historical=True,
            unit=unit,
            kind="call.ended",
            at=at - timedelta(days=3),
            identifiers=identifiers,
            agent=f"agent-{rng.randrange(1, 9)}",
            data={"direction": "inbound", "subject": "预约保养", "effort": {"talk_s": rng.randrange(60, 400)}},
        )


def duplicates() -> Iterator[dict[str, Any]]:
    """One person in two systems: found by likeness, for a person to decide, and kept apart, for they are relatives."""
    begun = datetime(2025, 11, 3, 3, tzinfo=UTC)
    home = {"country": "CN", "city": "上海", "district": "浦东新区", "street": "世纪大道 88 号", "postcode": "200120"}
    old = {"country": "CN", "city": "北京", "district": "海淀区", "street": "学院路 12 号", "postcode": "100083"}
    same = [
        ("dealer-erp", "V-90001", "曾静", "1988-05-20", home),
        ("web-shop", "W-70001", "Zeng Jing", "1988-05-20", home),
    ]
    doubtful = [("dealer-erp", "V-90002", "赵磊", None, old), ("web-shop", "W-70002", "赵磊", None, old)]
    father_and_son = [
        ("dealer-erp", "V-90003", "单强", "1958-01-09", home),
        ("web-shop", "W-70003", "单强", "1986-10-02", home),
    ]
    for number, (system, record, name, birth_date, address) in enumerate([*same, *doubtful, *father_and_son]):
        data = {"kind": "person", "name": {"display": name}, "birth_date": birth_date, "addresses": [address]}
        yield touchpoint(
            f"duplicate-{system}-{record}",
            channel="web" if system == "web-shop" else "erp",
            historical=True,
            source={"system": system, "record": record},
            unit="cars/shanghai",
            kind="profile.reported",
            at=begun + timedelta(days=number),
            data={name: value for name, value in data.items() if value is not None},
        )


def _late_complaint(today: datetime) -> Iterator[dict[str, Any]]:
    due = datetime.combine(today.date(), time(10), UTC)
    yield touchpoint(
        f"car-complaint-{today.date()}",
        channel="phone",
        unit="cars/shanghai",
        historical=True,
        kind="call.ended",
        at=due - timedelta(days=4),
        identifiers=[{"type": "phone", "value": SHOWN_PHONE, "region": "CN"}],
        agent="agent-3",
        data={
            "direction": "inbound",
            "subject": "空调异响，已第二次来电",
            "outcome": "complaint",
            "promises": [{"text": "今天之前由售后主管回电", "due_at": due.isoformat()}],
        },
    )


def trading_company(customers: int = 20) -> Iterator[dict[str, Any]]:
    """Business customers with monthly orders, invoiced with terms, paid late by some."""
    rng = random.Random(SEED + 1)
    for number in range(customers):
        source = {"system": "trading-erp", "record": f"B-{number:04d}"}
        common = {"channel": "erp", "historical": True, "source": source, "unit": "trading"}
        begun = datetime(2025, 6, 2, 8, tzinfo=UTC) + timedelta(days=rng.randrange(28))
        name = f"{rng.choice(('Nord', 'Alpen', 'Rhein', 'Elbe', 'Isar'))} Handel {number:02d} GmbH"
        yield touchpoint(
            f"trade-profile-{number}",
            **common,
            kind="profile.reported",
            at=begun,
            identifiers=[{"type": "email", "value": f"einkauf@handel{number:02d}.example.com"}],
            data={"kind": "company", "name": {"display": name}, "industry": "wholesale"},
        )
        for month in range(rng.randrange(3, 9)):
            yield from _monthly_trade(rng, f"{number:04d}-{month:02d}", common, begun + timedelta(days=30 * month))


def _monthly_trade(rng: random.Random, number: str, common: dict[str, Any], at: datetime) -> Iterator[dict[str, Any]]:
    net = rng.randrange(500_00, 9_000_00)
    tax = net * 19 // 100
    line = {"line": "1", "sku": "PART-1", "quantity": "10", "net": net, "tax": tax, "cost": net * 7 // 10}
    order = {"order": f"O-{number}", "currency": "EUR", "lines": [line], "net": net, "tax": tax, "gross": net + tax}
    yield touchpoint(f"trade-order-{number}", **common, kind="order.placed", at=at, data=order)
    due = (at + timedelta(days=30)).date().isoformat()
    invoice = {
        "invoice": f"I-{number}",
        "currency": "EUR",
        "lines": [{"line": "1", "order": f"O-{number}", "order_line": "1", "quantity": "10", "net": net, "tax": tax}],
        "net": net,
        "tax": tax,
        "gross": net + tax,
        "terms": [{"instalment": "1", "due_on": due, "amount": net + tax}],
    }
    yield touchpoint(
        f"trade-invoice-{number}", **common, kind="invoice.issued", at=at + timedelta(days=1), data=invoice
    )
    if rng.random() < 0.8:
        payment = {
            "payment": f"P-{number}",
            "currency": "EUR",
            "amount": net + tax,
            "allocations": [{"invoice": f"I-{number}", "amount": net + tax}],
        }
        paid_at = at + timedelta(days=rng.randrange(20, 70))
        yield touchpoint(f"trade-payment-{number}", **common, kind="payment.received", at=paid_at, data=payment)


def cdnow(today: date) -> Iterator[dict[str, Any]]:
    """The purchases of the web shop, each an `order.placed`; source: see SOURCE.md beside this file.

    They are moved by whole weeks, so that the last week ends within the seven days before `today`.
    """
    weeks = ((today - timedelta(days=1)) - CDNOW_ENDED).days // 7
    with gzip.open(_CDNOW, "rt", encoding="ascii") as lines:
        for index, line in enumerate(lines, 1):
            master, _, day, count, dollars = line.split()
            cents = int(Decimal(dollars) * 100)
            at = datetime.strptime(day, "%Y%m%d").replace(hour=17, tzinfo=UTC) + timedelta(weeks=weeks)
            item = {"line": "1", "sku": "CD", "category": "music", "quantity": count, "net": cents, "tax": 0}
            order = {
                "order": f"CD-{index:05d}",
                "currency": "USD",
                "lines": [item],
                "net": cents,
                "tax": 0,
                "gross": cents,
            }
            yield touchpoint(
                f"cdnow-{index}-{weeks}",
                channel="web",
                historical=True,
                unit="shop",
                source={"system": "cdnow", "record": master},
                kind="order.placed",
                at=at,
                data=order,
            )
