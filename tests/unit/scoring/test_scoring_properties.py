"""Whatever documents there are, in whatever order: the same score, and lines that add up to it."""

import random
from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from rapport_scoring.domain.documents import Statement
from rapport_scoring.domain.ledger import ledger
from rapport_scoring.domain.score import score
from tests.unit.scoring.documents import POLICY, PROFILE, document, line, order

NUMBERS = st.sampled_from(["1", "2", "3"])
NAMES = st.sampled_from(["a", "b"])
AMOUNTS = st.integers(0, 10_000)
QUANTITIES = st.sampled_from(["0", "1", "2.5", "10"])
MINUTES = st.integers(0, 6)
BASES = st.sampled_from(["actual", "standard", "estimate"])


@st.composite
def lines(draw: st.DrawFn, /, **more: st.SearchStrategy[Any]) -> list[dict[str, Any]]:
    names = draw(st.lists(NAMES, unique=True, max_size=2))
    return [
        line(name, draw(QUANTITIES), draw(AMOUNTS), **{field: draw(values) for field, values in more.items()})
        for name in names
    ]


@st.composite
def orders(draw: st.DrawFn) -> Statement:
    charges = draw(st.lists(st.fixed_dictionaries({"type": st.just("freight"), "net": AMOUNTS}), max_size=1))
    costs = draw(
        st.lists(
            st.fixed_dictionaries(
                {"type": st.sampled_from(["handling", "freight", "other"]), "amount": AMOUNTS, "basis": BASES}
            ),
            max_size=2,
        )
    )
    goods = draw(lines(cost=st.none() | AMOUNTS))
    return order(draw(NUMBERS), draw(MINUTES), *goods, charges=charges, costs=costs, revision=draw(st.integers(1, 2)))


@st.composite
def others(draw: st.DrawFn) -> Statement:
    number, named, minute = draw(NUMBERS), draw(NUMBERS), draw(MINUTES)
    kind = draw(
        st.sampled_from(
            [
                "order.cancelled",
                "order.returned",
                "shipment.delivered",
                "cost.reported",
                "invoice.issued",
                "credit.issued",
                "payment.received",
            ]
        )
    )
    match kind:
        case "order.cancelled":
            return document(kind, minute, cancellation=number, order=named, lines=draw(lines()))
        case "order.returned":
            return document(kind, minute, return_=number, order=named, lines=draw(lines(cost_recovered=AMOUNTS)))
        case "shipment.delivered":
            freight = {"cost": draw(AMOUNTS), "paid_by": draw(st.sampled_from(["us", "customer"]))}
            return document(kind, minute, shipment=number, order=named, freight=freight)
        case "cost.reported":
            about = {draw(st.sampled_from(["order", "shipment", "invoice"])): named}
            what = draw(st.sampled_from(["product", "handling", "freight", "import duty"]))
            return document(kind, minute, cost=number, about=about, type=what, amount=draw(AMOUNTS), basis=draw(BASES))
        case "invoice.issued":
            bills = draw(lines(order=st.just(named), order_line=st.none() | NAMES))
            net = sum(bill["net"] for bill in bills)
            return document(kind, minute, invoice=number, currency="CNY", net=net, gross=net, lines=bills)
        case "credit.issued":
            net = draw(AMOUNTS)
            return document(kind, minute, credit=number, net=net, gross=net, return_=named)
        case _:
            return document(kind, minute, payment=number, currency="CNY", amount=draw(AMOUNTS))


STATEMENTS = st.lists(orders() | others(), max_size=12)


def scored(statements: list[Statement], profiles: list[UUID] | None = None) -> str:
    return score(PROFILE, profiles or [PROFILE], ledger(statements, POLICY), 1).model_dump_json()


@given(STATEMENTS)
def test_lines_add_up_to_the_value_and_to_its_parts(statements: list[Statement]) -> None:
    book = ledger(statements, POLICY)
    value = score(PROFILE, [PROFILE], book, 1).contemporary
    total = sum(entry.amount for entry in book.lines)
    assert sum(amount.amount for amount in value.lifetime) == total
    assert sum(amount.amount for part in value.lifetime_parts.values() for amount in part) == total
    assert all(entry.event_id in {statement.event_id for statement in book.statements} for entry in book.lines)


@given(STATEMENTS, st.randoms(use_true_random=False))
def test_any_order_and_any_repetition_gives_the_same_score(statements: list[Statement], chance: random.Random) -> None:
    shuffled = statements + chance.choices(statements, k=len(statements)) if statements else []
    chance.shuffle(shuffled)
    assert scored(shuffled) == scored(statements)


@given(STATEMENTS)
def test_what_was_placed_and_wholly_cancelled_earns_nothing(statements: list[Statement]) -> None:
    placed = {statement.key.number: statement for statement in statements if statement.kind == "order.placed"}
    whole = [document("order.cancelled", 99, cancellation=f"w{number}", order=number) for number in placed]
    value = score(PROFILE, [PROFILE], ledger([*placed.values(), *whole], POLICY), 1).contemporary
    for part in ("revenue", "product_cost"):
        assert all(amount.amount == 0 for amount in value.lifetime_parts.get(part, ()))


@given(STATEMENTS)
def test_an_order_line_is_never_cancelled_below_nothing(statements: list[Statement]) -> None:
    placed = [statement for statement in statements if statement.kind in ("order.placed", "order.cancelled")]
    net: dict[str, int] = {}
    order_of = {statement.event_id: statement.data.order for statement in placed}  # type: ignore[attr-defined]
    for entry in ledger(placed, POLICY).lines:
        if entry.part == "revenue":
            number = order_of[entry.event_id]
            net[number] = net.get(number, 0) + entry.amount
    assert all(amount >= 0 for amount in net.values())
