"""One valid touchpoint of every kind: for the documentation, the golden messages and the API page."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

JsonObject = dict[str, Any]

_PHONE: Final = {"type": "phone", "value": "138 0013 8000", "region": "CN", "verified": True}
_EMAIL: Final = {"type": "email", "value": "xiaoming.wang@example.com"}
_VEHICLE: Final = {"serial": "LSVAA49J132047371", "plate": "沪A·12345", "type": "vehicle", "model": "Lavida 1.5"}


def _touchpoint(kind: str, channel: str, data: JsonObject, **fields: Any) -> JsonObject:
    common = {
        "id": str(uuid5(NAMESPACE_URL, f"https://rapport.example/touchpoints/{kind}")),
        "channel": channel,
        "kind": kind,
        "occurred_at": "2026-03-01T09:30:00+08:00",
        "unit": "cn/east/shanghai",
    }
    return common | fields | {"data": data}


def _call(kind: str, data: JsonObject) -> JsonObject:
    dialled = {"direction": "inbound", "queue": "service", "dialled": "400-820-8888"}
    return _touchpoint(
        kind, "phone", dialled | data, identifiers=[_PHONE], conversation="call-20260301-0017", agent="agent-17"
    )


def _commerce(kind: str, data: JsonObject) -> JsonObject:
    return _touchpoint(kind, "erp", data, source={"system": "erp-east", "record": "C-1001"})


def _vehicle(kind: str, data: JsonObject) -> JsonObject:
    source = {"system": "dms-shanghai", "record": "K-20881"}
    return _touchpoint(kind, "erp", _VEHICLE | data, source=source, identifiers=[_PHONE])


def _calls() -> list[JsonObject]:
    return [
        _call("call.queued", {}),
        _call("call.ringing", {"agents": ["agent-17", "agent-20"]}),
        _call("call.answered", {"effort": {"wait_s": 22}}),
        _call("call.transferred", {"transfer": {"to_queue": "workshop", "kind": "warm"}}),
        _call(
            "call.ended",
            {
                "effort": {"wait_s": 22, "talk_s": 241, "hold_s": 15, "wrap_s": 40},
                "outcome": "callback_agreed",
                "end_cause": "customer_hung_up",
                "text": "客户反映空调有异响，希望本周内检修。",
                "promises": [{"text": "今天下午回电确认检修时间", "due_at": "2026-03-01T18:00:00+08:00"}],
            },
        ),
    ]


def _messages_and_visits() -> list[JsonObject]:
    mail = {"identifiers": [_EMAIL], "conversation": "<a81f@example.com>"}
    chat = {"identifiers": [{"type": "social", "system": "wechat", "value": "wxid_8k2m"}], "conversation": "chat-553"}
    return [
        _touchpoint(
            "email.received",
            "email",
            {
                "direction": "inbound",
                "subject": "Noise after the last service",
                "text": "Hello, since the service last week the air conditioning rattles. Could you have a look?",
                "message_id": "<a81f@example.com>",
            },
            **mail,
        ),
        _touchpoint(
            "email.sent",
            "email",
            {
                "direction": "outbound",
                "subject": "Re: Noise after the last service",
                "text": "Dear Mr Wang, we have reserved Thursday, 10:00, for you.",
                "message_id": "<b90c@rapport.example>",
                "in_reply_to": "<a81f@example.com>",
                "effort": {"wrap_s": 180},
            },
            agent="agent-17",
            **mail,
        ),
        _touchpoint("email.bounced", "email", {"message_id": "<b90c@rapport.example>", "reason": "5.1.1"}, **mail),
        _touchpoint("chat.message", "chat", {"direction": "inbound", "text": "请问配件到货了吗？"}, **chat),
        _touchpoint("sms.received", "sms", {"direction": "inbound", "text": "确认"}, identifiers=[_PHONE]),
        _touchpoint("sms.sent", "sms", {"direction": "outbound", "text": "您的车辆已检修完毕。"}, identifiers=[_PHONE]),
        _touchpoint(
            "web.visited", "web", {"page": "/models/lavida"}, identifiers=[{"type": "device", "value": "dev-71c0"}]
        ),
        _touchpoint(
            "web.form_submitted",
            "web",
            {"form": "test_drive", "page": "/test-drive", "text": "I would like to drive it on Saturday."},
            identifiers=[_EMAIL],
        ),
        _touchpoint("store.visited", "store", {"place": "Pudong", "outcome": "test_drive"}, identifiers=[_PHONE]),
        _touchpoint(
            "field.visited",
            "field",
            {"notes": "Meets the purchasing board in April.", "effort": {"talk_s": 3600}},
            source={"system": "erp-east", "record": "C-1001"},
            agent="sales-03",
        ),
    ]


def _profiles() -> list[JsonObject]:
    consent = {"purpose": "marketing", "channel": "email", "wording": "2026-01"}
    return [
        _touchpoint(
            "profile.reported",
            "erp",
            {
                "kind": "person",
                "name": {"display": "王小明", "family": "王", "given": "小明"},
                "addresses": [{"country": "CN", "city": "上海市", "district": "浦东新区", "street": "世纪大道100号"}],
                "birth_date": "1985-03-01",
                "language": "zh",
                "relations": [{"type": "employee_of", "to": {"system": "erp-east", "record": "C-2001"}}],
            },
            source={"system": "dms-shanghai", "record": "K-20881"},
            identifiers=[_PHONE, _EMAIL],
            attributes={"loyalty_level": "gold"},
        ),
        _touchpoint("consent.given", "web", consent | {"proof": "double opt-in"}, identifiers=[_EMAIL]),
        _touchpoint("consent.withdrawn", "email", consent, identifiers=[_EMAIL]),
        _touchpoint(
            "web.identified",
            "web",
            {"device": "dev-71c0", "account": "u-5512"},
            identifiers=[{"type": "external", "system": "shop", "value": "u-5512"}],
        ),
    ]


def _orders() -> list[JsonObject]:
    line = {"line": "1", "sku": "OIL-5W30", "name": "Engine oil 5W-30, 4 l", "category": "parts", "quantity": "10"}
    part = {"line": "1", "quantity": "2", "net": 40000, "tax": 5200}
    return [
        _commerce(
            "order.placed",
            {
                "order": "SO-5001",
                "currency": "CNY",
                "lines": [line | {"net": 200000, "tax": 26000, "cost": 130000, "cost_basis": "standard"}],
                "charges": [{"type": "freight", "net": 5000, "tax": 450}],
                "costs": [{"type": "handling", "amount": 1200, "basis": "standard"}],
                "net": 205000,
                "tax": 26450,
                "gross": 231450,
                "terms": [{"due_on": "2026-03-31", "amount": 231450}],
            },
        ),
        _commerce(
            "order.cancelled",
            {"cancellation": "CA-71", "order": "SO-5001", "lines": [part], "reason": "ordered twice"},
        ),
        _commerce(
            "order.returned",
            {
                "return": "RE-18",
                "order": "SO-5001",
                "lines": [part | {"cost_recovered": 26000}],
                "freight_cost": 1500,
                "reason": "wrong viscosity",
            },
        ),
        _commerce(
            "shipment.delivered",
            {
                "shipment": "SH-903",
                "order": "SO-5001",
                "lines": [{"line": "1", "quantity": "10"}],
                "freight": {"cost": 4200, "paid_by": "us"},
            },
        ),
        _commerce(
            "cost.reported", {"cost": "K-330", "about": {"shipment": "SH-903"}, "type": "freight", "amount": 4350}
        ),
        _commerce(
            "wallet.reported",
            {
                "category": "lubricants",
                "from": "2026-01-01",
                "amount": 800000,
                "currency": "CNY",
                "basis": "declared",
                "rivals": [{"name": "Northern Oil", "amount": 300000}],
            },
        ),
    ]


def _receivables() -> list[JsonObject]:
    billed = {"line": "1", "order": "SO-5001", "order_line": "1", "quantity": "10", "net": 200000, "tax": 26000}
    allocation = {"invoice": "INV-8001", "amount": 228000, "cash_discount": 3450}
    return [
        _commerce(
            "invoice.issued",
            {
                "invoice": "INV-8001",
                "currency": "CNY",
                "value_date": "2026-03-01",
                "lines": [billed],
                "charges": [{"type": "freight", "net": 5000, "tax": 450}],
                "net": 205000,
                "tax": 26450,
                "gross": 231450,
                "terms": [{"instalment": "1", "due_on": "2026-03-31", "amount": 231450}],
            },
        ),
        _commerce(
            "credit.issued",
            {"credit": "CR-12", "invoice": "INV-8001", "return": "RE-18", "net": 40000, "tax": 5200, "gross": 45200},
        ),
        _commerce(
            "payment.received",
            {
                "payment": "PAY-440",
                "currency": "CNY",
                "amount": 228000,
                "method": "bank_transfer",
                "allocations": [allocation],
            },
        ),
        _commerce("payment.allocated", {"payment": "PAY-440", "revision": 2, "allocations": [allocation]}),
        _commerce("payment.reversed", {"reversal": "RV-3", "payment": "PAY-440", "amount": 228000, "fee": 500}),
        _commerce("payment.refunded", {"refund": "RF-9", "credit": "CR-12", "amount": 45200}),
        _commerce(
            "invoice.written_off", {"write_off": "WO-2", "invoice": "INV-8001", "amount": 1000, "reason": "insolvent"}
        ),
    ]


def _assets() -> list[JsonObject]:
    service = {
        "work_order": "WO-20260301-7",
        "mileage": 48211,
        "work": ["Oil change", "空调检查"],
        "parts": ["OIL-5W30", "FILTER-22"],
        "cost": {"amount": 42000, "currency": "CNY"},
        "borne_by": "customer",
    }
    return [
        _vehicle("asset.delivered", {}),
        _vehicle("asset.serviced", service),
        _vehicle("asset.transferred", {}),
    ]


def _feedback() -> list[JsonObject]:
    friend = {"type": "phone", "value": "13900139000", "region": "CN"}
    return [
        _touchpoint(
            "survey.answered",
            "survey",
            {"survey": "after_service", "score": 9, "comment": "服务很好", "theme": "workshop"},
            identifiers=[_PHONE],
        ),
        _touchpoint("campaign.sent", "campaign", {"campaign": "spring-check"}, identifiers=[_EMAIL]),
        _touchpoint(
            "campaign.responded", "campaign", {"campaign": "spring-check", "answer": "interested"}, identifiers=[_EMAIL]
        ),
        _touchpoint("referral.made", "store", {"referred": friend, "name": "李伟"}, identifiers=[_PHONE]),
        _touchpoint("custom.charging_ended", "web", {"station": "SH-0042", "kwh": 38}, identifiers=[_PHONE]),
    ]


EXAMPLES: Final[Mapping[str, JsonObject]] = MappingProxyType(
    {
        example["kind"]: example
        for family in (_calls, _messages_and_visits, _profiles, _orders, _receivables, _assets, _feedback)
        for example in family()
    }
)
"""By kind, as JSON; the deployment's own kinds are shown by `custom.charging_ended`. Copy before changing one."""
