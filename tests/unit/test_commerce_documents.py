"""Commerce documents: what adds up is taken in any order, what does not is named."""

import copy
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport_shared.contracts.touchpoints import (
    DocumentKey,
    TouchpointInvalid,
    document_key,
    parse_touchpoint,
    revision,
    value_date,
)
from rapport_shared.contracts.touchpoints.commerce_touchpoints import CommerceTouchpoint, WalletReported
from rapport_shared.contracts.touchpoints.currency import MINOR_DIGITS
from rapport_shared.contracts.touchpoints.documents import DocumentTouchpoint
from rapport_shared.contracts.touchpoints.examples import EXAMPLES

JsonObject = dict[str, Any]
AMOUNT = st.integers(min_value=0, max_value=10**9)
DOCUMENTS = {
    "order.placed": ("order", "SO-5001"),
    "order.cancelled": ("cancellation", "CA-71"),
    "order.returned": ("return", "RE-18"),
    "shipment.delivered": ("shipment", "SH-903"),
    "cost.reported": ("cost", "K-330"),
    "invoice.issued": ("invoice", "INV-8001"),
    "credit.issued": ("credit", "CR-12"),
    "payment.received": ("payment", "PAY-440"),
    "payment.allocated": ("payment", "PAY-440"),
    "payment.reversed": ("reversal", "RV-3"),
    "payment.refunded": ("refund", "RF-9"),
    "invoice.written_off": ("write_off", "WO-2"),
}


def document(kind: str, /, **changes: Any) -> JsonObject:
    """The example of `kind` with changed data; `None` takes a field away."""
    touchpoint = copy.deepcopy(dict(EXAMPLES[kind]))
    touchpoint["data"] |= changes
    touchpoint["data"] = {name: value for name, value in touchpoint["data"].items() if value is not None}
    return touchpoint


def faults(touchpoint: JsonObject) -> dict[str, str]:
    try:
        parse_touchpoint(touchpoint, strict=True)
    except TouchpointInvalid as error:
        return {item.pointer: item.code for item in error.errors}
    return {}


def taken(touchpoint: JsonObject) -> DocumentTouchpoint:
    parsed = parse_touchpoint(touchpoint, strict=True)
    assert isinstance(parsed, CommerceTouchpoint)
    assert not isinstance(parsed, WalletReported)
    return parsed


def priced(data: JsonObject, rounding: int) -> JsonObject:
    """`data` with a header and terms that fit its lines and charges."""
    parts = [*data["lines"], *data["charges"]]
    net, tax = sum(part["net"] for part in parts), sum(part["tax"] for part in parts)
    rounding = max(rounding, -(net + tax))
    gross = net + tax + rounding
    first = gross // 3
    terms = [{"due_on": "2026-04-01", "amount": first}, {"due_on": "2026-05-01", "amount": gross - first}]
    return data | {"net": net, "tax": tax, "gross": gross, "rounding": rounding, "terms": terms}


@st.composite
def consistent(draw: st.DrawFn) -> JsonObject:
    """An order or an invoice that adds up."""
    sums = draw(st.lists(st.tuples(AMOUNT, AMOUNT), max_size=8))
    lines = [{"line": str(n), "quantity": "1", "net": net, "tax": tax} for n, (net, tax) in enumerate(sums)]
    charges = [{"type": "freight", "net": net, "tax": tax} for net, tax in draw(st.lists(st.tuples(AMOUNT, AMOUNT)))]
    kind, name = draw(st.sampled_from([("order.placed", "order"), ("invoice.issued", "invoice")]))
    data = {name: "N-1", "currency": "EUR", "lines": lines, "charges": charges}
    return {**EXAMPLES[kind], "data": priced(data, draw(st.integers(-99, 99)))}


def amounts(data: JsonObject) -> list[tuple[Any, str]]:
    holders = [(data, name) for name in ("net", "tax", "gross")]
    for part in (*data["lines"], *data["charges"]):
        holders += [(part, "net"), (part, "tax")]
    return holders + [(term, "amount") for term in data["terms"]]


@given(consistent(), st.randoms())
def test_what_adds_up_is_taken_in_any_order(touchpoint: JsonObject, order: Any) -> None:
    for name in ("lines", "charges", "terms"):
        order.shuffle(touchpoint["data"][name])
    assert faults(touchpoint) == {}


@given(consistent(), st.data(), st.integers(1, 10**6), st.booleans())
def test_one_changed_amount_is_always_found(touchpoint: JsonObject, data: st.DataObject, by: int, less: bool) -> None:
    holder, name = data.draw(st.sampled_from(amounts(touchpoint["data"])))
    holder[name] += -by if less and holder[name] >= by else by
    assert "sum_mismatch" in faults(touchpoint).values()


@pytest.mark.parametrize(("kind", "key"), DOCUMENTS.items())
def test_documents_have_one_kind_of_identity(kind: str, key: tuple[Any, str]) -> None:
    touchpoint = taken(document(kind, revision=3))
    assert document_key(touchpoint) == DocumentKey("erp-east", *key)
    assert revision(touchpoint) == 3
    assert revision(taken(document(kind, revision=None))) == 1


@pytest.mark.parametrize("kind", [*DOCUMENTS, "wallet.reported"])
def test_a_number_needs_its_system(kind: str) -> None:
    touchpoint = document(kind)
    del touchpoint["source"]
    assert faults(touchpoint) == {"/source": "missing"}
    assert set(faults(touchpoint | {"source": {"record": "C-1"}})) == {"/source/system"}


@pytest.mark.parametrize(("kind", "key"), DOCUMENTS.items())
def test_numbers_are_texts_that_are_not_empty(kind: str, key: tuple[str, str]) -> None:
    name = key[0]
    assert set(faults(document(kind, **{name: ""}))) == {f"/data/{name}"}
    assert faults(document(kind, **{name: "  "})) == {f"/data/{name}": "wrong_format"}
    assert faults(document(kind, **{name: 7})) == {f"/data/{name}": "wrong_type"}
    assert faults(document(kind, **{name: None})) == {f"/data/{name}": "missing"}


def test_a_documents_day_is_its_units_day() -> None:
    touchpoint = taken(document("order.placed") | {"occurred_at": "2026-03-01T20:30:00Z"})
    assert value_date(touchpoint, UTC) == date(2026, 3, 1)
    assert value_date(touchpoint, ZoneInfo("Asia/Shanghai")) == date(2026, 3, 2)
    assert value_date(touchpoint, UTC, datetime(2026, 2, 1, tzinfo=UTC)) == date(2026, 2, 1)
    stated = taken(document("order.placed", value_date="2026-01-31"))
    assert value_date(stated, ZoneInfo("Asia/Shanghai")) == date(2026, 1, 31)


@pytest.mark.parametrize(
    ("kind", "changes", "pointer", "code"),
    [
        ("order.placed", {"currency": None}, "/data/currency", "missing"),
        ("order.placed", {"currency": "cny"}, "/data/currency", "currency"),
        ("order.placed", {"currency": "XXX"}, "/data/currency", "currency"),
        ("order.placed", {"net": 205000.0}, "/data/net", "wrong_type"),
        ("order.placed", {"net": "205000"}, "/data/net", "wrong_type"),
        ("order.placed", {"net": True}, "/data/net", "wrong_type"),
        ("order.placed", {"net": -1}, "/data/net", "out_of_range"),
        ("order.placed", {"net": 10**30}, "/data/net", "out_of_range"),
        ("order.placed", {"revision": 0}, "/data/revision", "out_of_range"),
        ("order.placed", {"value_date": "2026-02-30"}, "/data/value_date", "date"),
        ("order.placed", {"value_date": "2026-03-01T00:00:00Z"}, "/data/value_date", "date"),
        ("order.placed", {"value_date": 20260301}, "/data/value_date", "date"),
        ("order.placed", {"terms": [{"due_on": "2026-03-31", "amount": 1}]}, "/data/terms", "sum_mismatch"),
        ("order.placed", {"lines": []}, "/data/net", "sum_mismatch"),
        ("order.placed", {"gross": 231451, "terms": []}, "/data/gross", "sum_mismatch"),
        ("credit.issued", {"gross": 45201}, "/data/gross", "sum_mismatch"),
        ("credit.issued", {"invoice": None, "return": None}, "/data/currency", "missing"),
        ("cost.reported", {"about": {}}, "/data/about", "missing"),
        ("cost.reported", {"about": {"order": "1", "invoice": "2"}}, "/data/about", "conflict"),
        ("cost.reported", {"about": {"work_order": "W-1"}}, "/data/currency", "missing"),
        ("payment.received", {"currency": None, "allocations": []}, "/data/currency", "missing"),
        ("payment.received", {"amount": 227999}, "/data/allocations", "sum_mismatch"),
        ("payment.allocated", {"allocations": None}, "/data/allocations", "missing"),
        ("payment.refunded", {"payment": "PAY-440"}, "/data/payment", "conflict"),
        ("payment.refunded", {"credit": None}, "/data/payment", "missing"),
        ("wallet.reported", {"until": "2025-12-31"}, "/data/until", "out_of_range"),
        ("wallet.reported", {"currency": None}, "/data/currency", "missing"),
    ],
)
def test_a_fault_of_a_document_is_named(kind: str, changes: JsonObject, pointer: str, code: str) -> None:
    assert faults(document(kind, **changes)).get(pointer) == code


LINE = {"line": "1", "quantity": "1", "net": 0, "tax": 0}
INVOICED = {"invoice": "I-1", "currency": "EUR", "net": 0, "gross": 0, "charges": [], "terms": []}


@pytest.mark.parametrize(
    ("kind", "changes", "pointer"),
    [
        ("order.cancelled", {"lines": [LINE, LINE]}, "/data/lines/1/line"),
        ("order.returned", {"lines": [LINE, LINE]}, "/data/lines/1/line"),
        ("shipment.delivered", {"lines": [{"line": "1", "quantity": "1"}] * 2}, "/data/lines/1/line"),
        ("payment.allocated", {"allocations": [{"invoice": "I-1", "amount": 1}] * 2}, "/data/allocations/1"),
    ],
)
def test_nothing_is_named_twice(kind: str, changes: JsonObject, pointer: str) -> None:
    assert faults(document(kind, **changes)) == {pointer: "duplicate"}


def test_instalments_are_named_once_or_not_at_all() -> None:
    named = {"instalment": "1", "due_on": "2026-03-31", "amount": 0}
    unnamed = {"due_on": "2026-03-31", "amount": 0}
    invoice = document("invoice.issued", **INVOICED | {"tax": 0, "lines": [LINE], "terms": [unnamed, unnamed, named]})
    assert faults(invoice) == {}
    invoice["data"]["terms"].append(named)
    assert faults(invoice) == {"/data/terms/3": "duplicate"}


def test_an_order_line_needs_its_order() -> None:
    invoice = document("invoice.issued", **INVOICED | {"tax": 0, "lines": [LINE | {"order_line": "1"}]})
    assert faults(invoice) == {"/data/lines/0/order": "missing"}


def test_zero_is_legal() -> None:
    assert faults(document("invoice.written_off", amount=0)) == {}
    free = {"net": 0, "tax": 0, "gross": 0, "terms": [], "charges": [], "lines": [LINE]}
    assert faults(document("order.placed", **free)) == {}


def test_a_currency_comes_from_the_document_that_is_named() -> None:
    billed = {"lines": [LINE | {"order": "O-1"}], "tax": 0}
    assert faults(document("invoice.issued", **INVOICED | billed | {"currency": None})) == {}
    assert faults(document("payment.received", currency=None)) == {}


def test_a_payment_in_another_currency_is_limited_by_what_is_paid() -> None:
    foreign = {"invoice": "I-1", "amount": 900_000, "paid": 228_000}
    assert faults(document("payment.received", allocations=[foreign])) == {}
    dearer = [foreign | {"paid": 228_001}]
    assert faults(document("payment.received", allocations=dearer)) == {"/data/allocations": "sum_mismatch"}


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("1", "1"),
        ("1.0", "1"),
        ("01.50", "1.5"),
        ("0", "0"),
        ("0.000", "0"),
        ("999999999999.123456", "999999999999.123456"),
    ],
)
def test_quantities_have_one_spelling(written: str, kept: str) -> None:
    shipment = taken(document("shipment.delivered", lines=[{"line": "1", "quantity": written}]))
    assert shipment.data.lines[0].quantity == kept  # type: ignore[union-attr]


@pytest.mark.parametrize("written", [1, 1.5, "", "-1", "+1", "1e3", "1,5", ".5", "1.", "1.1234567", "１", " 1", "NaN"])
def test_what_is_no_quantity_is_refused(written: Any) -> None:
    shipment = document("shipment.delivered", lines=[{"line": "1", "quantity": written}])
    assert set(faults(shipment)) == {"/data/lines/0/quantity"}


def test_currencies_know_their_minor_unit() -> None:
    assert (MINOR_DIGITS["CNY"], MINOR_DIGITS["JPY"], MINOR_DIGITS["KWD"]) == (2, 0, 3)
    assert all(len(code) == 3 and code.isupper() for code in MINOR_DIGITS)
