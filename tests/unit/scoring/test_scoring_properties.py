"""Whatever documents there are, in whatever order: the same score, and lines that add up to it."""

import random
from datetime import date
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from rapport_scoring.domain.ledger.documents import Statement, counting, standing
from rapport_scoring.domain.ledger.lines import Part
from rapport_scoring.domain.ledger.purchases import purchases
from rapport_scoring.domain.ledger.reckoning import Ledger, ledger
from tests.unit.scoring.documents import POLICY, day, document, line, on, order, within

NUMBERS = st.sampled_from(["1", "2", "3"])
NAMES = st.sampled_from(["a", "b"])
AMOUNTS = st.integers(0, 10_000)
QUANTITIES = st.sampled_from(["0", "1", "2.5", "10"])
MINUTES = st.integers(0, 6)
CURRENCIES = st.sampled_from(["CNY", "CNY", "EUR"])
DATES: st.SearchStrategy[dict[str, Any]] = st.just({}) | st.builds(on, st.integers(-20, 20))
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
    named = st.sampled_from([None, "ink", "paper"])
    goods = draw(lines(cost=st.none() | AMOUNTS, list=st.none() | AMOUNTS, category=named))
    return order(draw(NUMBERS), draw(MINUTES), *goods, charges=charges, costs=costs, revision=draw(st.integers(1, 2)))


@st.composite
def payments(draw: st.DrawFn, kind: str, number: str, named: str, minute: int) -> Statement:
    data: dict[str, Any] = {**draw(DATES), "amount": draw(AMOUNTS)}
    allocation = {"invoice": NUMBERS, "amount": st.integers(0, 5_000), "cash_discount": st.integers(0, 50)}
    foreign = st.fixed_dictionaries({**allocation, "paid": st.integers(0, 5_000)})
    several = st.lists(st.fixed_dictionaries(allocation) | foreign, max_size=2, unique_by=lambda item: item["invoice"])
    match kind:
        case "payment.received":
            data |= {"payment": number, "currency": draw(CURRENCIES), "order": draw(st.none() | NUMBERS)}
            data |= {"allocations": draw(several), "amount": 10_000 + draw(AMOUNTS)}
        case "payment.allocated":
            data = {"payment": number, "allocations": draw(several), "revision": draw(st.integers(1, 2))}
        case "payment.reversed":
            data |= {"reversal": number, "payment": named, "fee": draw(st.integers(0, 9))}
        case "payment.refunded":
            data |= {"refund": number, draw(st.sampled_from(["payment", "credit"])): named}
        case _:
            data |= {"write_off": number, "invoice": named}
    return document(kind, minute, **data)


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
                "payment.allocated",
                "payment.reversed",
                "payment.refunded",
                "invoice.written_off",
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
            currency, dated = draw(CURRENCIES), draw(DATES)
            return document(kind, minute, invoice=number, currency=currency, net=net, gross=net, lines=bills, **dated)
        case "credit.issued":
            net = draw(AMOUNTS)
            names: dict[str, Any] = {draw(st.sampled_from(["return_", "invoice"])): named}
            return document(kind, minute, credit=number, net=net, gross=net, **names, **draw(DATES))
        case _:
            return draw(payments(kind, number, named, minute))


STATEMENTS = st.lists(orders() | others(), max_size=12)


def sums(book: Ledger, part: Part | None = None) -> dict[str, int]:
    """The sums of a ledger's lines, of one part or of all, by currency."""
    found: dict[str, int] = {}
    for entry in book.lines:
        if part in (None, entry.part):
            found[entry.currency] = found.get(entry.currency, 0) + entry.amount
    return found


@given(STATEMENTS, st.integers(-21, 21))
def test_lines_add_up_by_part_and_by_window_and_each_names_its_event(statements: list[Statement], number: int) -> None:
    book = ledger(statements, POLICY)
    by_part = [sums(book, part) for part in Part]
    total = {currency: sum(one.get(currency, 0) for one in by_part) for currency in sums(book)}
    assert total == sums(book)
    early, late = within(book, date.min, day(number)), within(book, day(number), date.max)
    assert sorted(early + late, key=book.lines.index) == list(book.lines)
    days = {statement.event_id: statement.day for statement in book.statements}
    assert all(entry.day == days[entry.event_id] for entry in book.lines)


@given(STATEMENTS, st.randoms(use_true_random=False))
def test_any_order_and_any_repetition_gives_the_same_ledger(statements: list[Statement], chance: random.Random) -> None:
    shuffled = statements + chance.choices(statements, k=len(statements)) if statements else []
    chance.shuffle(shuffled)
    assert ledger(shuffled, POLICY) == ledger(statements, POLICY)


@given(STATEMENTS)
def test_lines_of_receivables_add_up_to_what_the_receivables_say(statements: list[Statement]) -> None:
    book = ledger(statements, POLICY)
    for part, cost in (
        (Part.RECEIVABLE_INTEREST, sum(one.interest for one in book.receivables)),
        (Part.BAD_DEBT_RESERVE, sum(one.reserve for one in book.receivables)),
        (Part.WRITE_OFF_LOSS, sum(one.loss for one in book.receivables)),
    ):
        assert sum(entry.amount for entry in book.lines if entry.part is part) == -cost
    for one in book.receivables:
        assert sum(amount for _, amount in one.due) == one.open
        assert min(one.open, one.over) == 0
    assert all(rest.amount > 0 for rest in book.on_account)


@given(STATEMENTS, st.integers(-21, 21))
def test_as_of_a_day_only_what_counts_by_then_matters(statements: list[Statement], number: int) -> None:
    by_then = counting(standing(statements), day(number))
    assert ledger(statements, POLICY, valued_on=day(number)) == ledger(by_then, POLICY, valued_on=day(number))


@given(STATEMENTS)
def test_purchases_are_worth_no_more_than_the_revenue_that_is_of_any(statements: list[Statement]) -> None:
    book = ledger(statements, POLICY)
    found = purchases(book.lines, book.statements)
    assert all(one.revenue > 0 for one in found)
    assert len({(one.event_id, one.currency) for one in found}) == len(found)
    earned = sum(entry.amount for entry in book.lines if entry.part is Part.REVENUE and entry.amount > 0)
    assert sum(one.revenue for one in found) <= earned


@given(STATEMENTS)
def test_what_was_placed_and_wholly_cancelled_earns_nothing(statements: list[Statement]) -> None:
    placed = {statement.key.number: statement for statement in statements if statement.kind == "order.placed"}
    whole = [document("order.cancelled", 99, cancellation=f"w{number}", order=number) for number in placed]
    book = ledger([*placed.values(), *whole], POLICY)
    for part in (Part.REVENUE, Part.PRODUCT_COST):
        assert set(sums(book, part).values()) <= {0}


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
