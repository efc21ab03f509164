"""What commerce documents amount to in the view, and that the order of their arrival changes nothing."""

import json
import random
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from rapport_gateway.projection.projector import fold_all
from rapport_gateway.view.facts import Fact
from rapport_gateway.view.sections import FOLDED, render
from rapport_shared.contracts.ids import derived_id

PROFILE = UUID("00000000-0000-4000-8000-000000000001")
BEGUN = datetime(2026, 1, 1, tzinfo=UTC)


def recorded(number: int, kind: str, data: dict[str, Any], *, profile: UUID = PROFILE, sequence: int = 1) -> Fact:
    touchpoint_id = derived_id("test", number)
    channel = "erp" if "." in kind and not kind.startswith("call") else "phone"
    body: dict[str, Any] = {
        "interaction_id": str(derived_id("interaction", touchpoint_id)),
        "touchpoint_id": str(touchpoint_id),
        "kind": kind,
        "channel": channel,
        "touchpoint": {"kind": kind, "channel": channel, "source": {"system": "erp"}, "data": data},
    }
    at = BEGUN + timedelta(hours=number)
    return Fact(
        touchpoint_id, "interaction.recorded", body["interaction_id"], profile, at, at, sequence, body, json.dumps(body)
    )


def order(number: int, name: str, net: int, revision: int = 1) -> Fact:
    line = {"line": "1", "quantity": "2", "net": net, "tax": 0}
    data = {"order": name, "currency": "CNY", "revision": revision, "lines": [line], "net": net, "gross": net}
    return recorded(number, "order.placed", data)


def invoice(number: int, name: str, ordered: str, net: int, terms: list[dict[str, Any]]) -> Fact:
    line = {"line": "1", "order": ordered, "order_line": "1", "quantity": "2", "net": net, "tax": 0}
    data = {"invoice": name, "currency": "CNY", "lines": [line], "net": net, "gross": net, "terms": terms}
    return recorded(number, "invoice.issued", data)


def payment(number: int, name: str, amount: int, allocated: dict[str, int]) -> Fact:
    allocations = [{"invoice": target, "amount": part} for target, part in allocated.items()]
    return recorded(
        number, "payment.received", {"payment": name, "currency": "CNY", "amount": amount, "allocations": allocations}
    )


def commerce(facts: list[Fact]) -> dict[str, Any]:
    partials = {
        (place.profile_id, place.item): state for place, state in fold_all(facts).items() if place.section == "commerce"
    }
    return dict(json.loads(render("commerce", PROFILE, [PROFILE], partials)))


def test_a_later_revision_replaces_an_order_whichever_comes_first() -> None:
    first, second = order(1, "O1", 1000), order(2, "O1", 700, revision=2)
    for facts in ([first, second], [second, first]):
        assert commerce(facts)["revenue"] == [{"amount": 700, "currency": "CNY"}]
        assert commerce(facts)["orders"] == 1


def test_the_oldest_due_is_settled_first() -> None:
    terms = [{"due_on": "2026-03-01", "amount": 600}, {"due_on": "2026-02-01", "amount": 400}]
    section = commerce([order(1, "O1", 1000), invoice(2, "I1", "O1", 1000, terms), payment(3, "P1", 500, {"I1": 500})])
    assert section["receivable_due"] == [{"due_on": "2026-03-01", "amount": 500, "currency": "CNY"}]
    assert section["receivable_open"] == [{"amount": 500, "currency": "CNY"}]
    assert section["revenue"] == [{"amount": 1000, "currency": "CNY"}]


def test_a_payment_waits_on_account_until_its_invoice_comes() -> None:
    paid = payment(1, "P1", 500, {"I1": 500})
    before = commerce([paid])
    assert before["on_account"] == [{"amount": 500, "currency": "CNY"}]
    assert before["waiting"] == 1
    after = commerce([paid, order(2, "O1", 500), invoice(3, "I1", "O1", 500, [])])
    assert after["on_account"] == []
    assert after["receivable_open"] == []
    assert after["waiting"] == 0


def test_a_whole_cancellation_leaves_its_fee() -> None:
    cancelled = recorded(2, "order.cancelled", {"cancellation": "C1", "order": "O1", "fee": {"net": 50, "tax": 0}})
    section = commerce([order(1, "O1", 1000), cancelled])
    assert section["revenue"] == [{"amount": 50, "currency": "CNY"}]
    assert section["orders"] == 0


@st.composite
def histories(draw: st.DrawFn) -> list[Fact]:
    facts: list[Fact] = []
    for number in range(draw(st.integers(1, 12))):
        amount = draw(st.integers(0, 10_000))
        match draw(st.sampled_from(["order", "invoice", "payment", "call"])):
            case "order":
                facts.append(order(number, f"O{draw(st.integers(0, 2))}", amount, draw(st.integers(1, 3))))
            case "invoice":
                facts.append(invoice(number, f"I{draw(st.integers(0, 2))}", f"O{draw(st.integers(0, 2))}", amount, []))
            case "payment":
                allocated = {f"I{draw(st.integers(0, 2))}": amount}
                facts.append(payment(number, f"P{draw(st.integers(0, 2))}", amount, allocated))
            case "call":
                data = {"promises": [{"text": "t", "due_at": "2026-02-01T00:00:00Z"}]}
                facts.append(recorded(number, "call.ended", data, sequence=draw(st.integers(1, 3))))
    return facts


@settings(max_examples=150, deadline=None)
@given(histories(), st.integers(0, 2**32))
def test_any_order_of_the_same_facts_gives_the_same_sections(facts: list[Fact], seed: int) -> None:
    shuffled = list(facts)
    random.Random(seed).shuffle(shuffled)
    assert _sections(shuffled) == _sections(facts)


def _sections(facts: list[Fact]) -> dict[str, str]:
    partials = fold_all(facts)
    return {
        section.NAME: render(
            section.NAME,
            PROFILE,
            [PROFILE],
            {(p.profile_id, p.item): state for p, state in partials.items() if p.section == section.NAME},
        )
        for section in FOLDED
    }
