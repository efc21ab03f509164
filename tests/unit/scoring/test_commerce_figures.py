"""The commerce section, the value and a brute-force recomputation of the same documents: all amounts are equal."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport_scoring.domain.commerce import commerce_figures
from rapport_scoring.domain.history import history_of
from rapport_scoring.domain.ledger.books import open_books
from rapport_scoring.domain.ledger.documents import Statement, standing, value_day
from rapport_scoring.domain.ledger.lines import Part
from rapport_scoring.domain.ledger.order_lines import goods_of_orders
from rapport_scoring.domain.ledger.reckoning import ledger
from rapport_scoring.domain.rules import shipped_rules
from rapport_shared.contracts.money import Amount
from rapport_shared.contracts.scoring import MOST_RECEIVABLES
from tests.unit.scoring.commerce_oracle import Simulation
from tests.unit.scoring.documents import POLICY, PROFILE, day, document, line, on, order
from tests.unit.scoring.lives import TWIN, documents
from tests.unit.scoring.states import known

RULES = shipped_rules()
PROFILES = [PROFILE, TWIN]
UNKNOWN = "9"
LATER = day(400)
CHANCE = st.booleans()
SMALL, SOME = st.integers(1, 30), st.integers(0, 3)


@st.composite
def told(draw: st.DrawFn, /, kind: str, **data: Any) -> Statement:
    """A document of a drawn profile, minute and day."""
    profile, minute = draw(st.sampled_from(PROFILES)), draw(st.integers(0, 40))
    return document(kind, minute, profile=profile, **on(draw(st.integers(0, 8)), **data))


@st.composite
def placed(draw: st.DrawFn, number: str) -> Statement:
    """An order of pieces of one price, with or without a fee."""
    price, currency = draw(st.integers(1, 20)), draw(st.sampled_from(["CNY", "CNY", "EUR"]))
    counts = draw(st.lists(st.integers(1, 4), min_size=1, max_size=2))
    lines = [line("ab"[place], str(count), count * price) for place, count in enumerate(counts)]
    lines += [line("fee", "0", draw(SMALL))] if draw(CHANCE) else []
    net = sum(item["net"] for item in lines)
    return draw(told("order.placed", order=number, currency=currency, net=net, gross=net, lines=lines))


@st.composite
def parts(draw: st.DrawFn, order: Any, *, strange: bool = True) -> list[dict[str, Any]]:
    """Lines that name lines of an order, or one that it does not have, with the net of as many pieces as they say."""
    price = order.lines[0].net // int(order.lines[0].quantity)
    names = [item.line for item in order.lines] + ["z"] * strange
    found = []
    for name in draw(st.lists(st.sampled_from(names), unique=True, min_size=1, max_size=2)):
        count = draw(st.integers(1, 5))
        found.append(line(name, "0", draw(SMALL)) if name == "fee" else line(name, str(count), count * price))
    return found


@st.composite
def bills(draw: st.DrawFn, number: int, orders: list[Any]) -> Statement:
    """An invoice of lines of an order, of its money only, of an order that nobody knows, or of none."""
    order = draw(st.sampled_from(orders))
    fee = [item for item in order.lines if item.line == "fee"]
    kind = draw(st.sampled_from(["lines", "lines", "lines" if fee else "money", "strange", "none"]))
    price, currency = order.lines[0].net // int(order.lines[0].quantity), order.currency
    match kind:
        case "lines":
            items = [item for item in draw(parts(order, strange=False)) if item["line"] != "fee"]
            if fee and number == 0 and draw(CHANCE):
                items.append(line("fee", "0", fee[0].net))
            items = [{**item, "order": order.order, "order_line": item["line"]} for item in items]
        case "money":
            items = [line("x", "1", draw(st.integers(1, 8)) * price, order=order.order)]
        case "strange":
            items = [line("x", "1", draw(SMALL), order=UNKNOWN)]
        case _:
            items = [line("x", "1", draw(SMALL))]
    net = sum(item["net"] for item in items)
    at = draw(st.lists(st.integers(0, 20), max_size=2, unique=True))
    amounts = [net // len(at)] * (len(at) - 1) + [net - net // len(at) * (len(at) - 1)] if at else []
    terms = [{"due_on": day(due).isoformat(), "amount": part} for due, part in zip(at, amounts, strict=True)]
    data = {"invoice": f"i{number}", "currency": currency, "net": net, "gross": net, "lines": items, "terms": terms}
    return draw(told("invoice.issued", **data))


@st.composite
def histories(draw: st.DrawFn) -> list[Statement]:
    """Documents of one or two orders: bills, returns, cancellations, credits, payments and what undoes those."""
    found = [draw(placed(str(number))) for number in range(1, draw(st.integers(1, 2)) + 1)]
    orders: list[Any] = [one.data for one in found]
    found += [draw(bills(number, orders)) for number in range(draw(st.sampled_from([2, 3, 1, 0])))]
    billed: list[Any] = [one.data for one in found if one.kind == "invoice.issued"]
    invoices = st.sampled_from([UNKNOWN, *(bill.invoice for bill in billed)])
    for number in range(draw(SOME)):
        found.append(draw(reversals_of_goods("order.returned", f"r{number}", orders)))
    for number in range(draw(SOME)):
        found.append(draw(reversals_of_goods("order.cancelled", f"c{number}", orders)))
    returns = {one.key.number: one.data.order for one in found if one.kind == "order.returned"}  # type: ignore[attr-defined]
    currency_of = {bill.invoice: bill.currency for bill in billed} | {order.order: order.currency for order in orders}
    for number in range(draw(SOME)):
        of, name, amount = draw(st.sampled_from(["return_", "invoice", "none"])), draw(invoices), draw(SMALL)
        named: dict[str, Any] = {"invoice": name} if of == "invoice" else {}
        if returns and of == "return_":
            back = draw(st.sampled_from(sorted(returns)))
            named, name = {"return_": back}, returns[back]
        totals = {"currency": currency_of.get(name, "CNY"), "net": amount, "gross": amount}
        found.append(draw(told("credit.issued", credit=f"k{number}", **totals, **named)))
    credited = [f"k{number}" for number, _ in enumerate([one for one in found if one.kind == "credit.issued"])]
    paid = draw(st.sampled_from([2, 3, 1, 0]))
    for number in range(paid):
        found.append(draw(payments(f"p{number}", invoices)))
    payment = st.sampled_from([UNKNOWN, *(f"p{number}" for number in range(paid))])
    for number in range(draw(SOME)):
        found.append(draw(told("payment.reversed", reversal=f"b{number}", payment=draw(payment), amount=draw(SMALL))))
    for number in range(draw(SOME)):
        named = {"payment": draw(payment)}
        if len(credited) > 0 and draw(CHANCE):
            named = {"credit": draw(st.sampled_from(credited))}
        found.append(draw(told("payment.refunded", refund=f"f{number}", amount=draw(SMALL), **named)))
    for number in range(draw(st.integers(0, 2))):
        bill = draw(invoices)
        found.append(draw(told("invoice.written_off", write_off=f"w{number}", invoice=bill, amount=draw(SMALL))))
    return found


@st.composite
def reversals_of_goods(draw: st.DrawFn, kind: str, number: str, orders: list[Any]) -> Statement:
    """A return or cancellation of lines or of all, of an order or of one nobody knows; some in another currency."""
    order = draw(st.sampled_from(orders))
    items = draw(st.just([]) | parts(order))
    named = draw(st.sampled_from([order.order, order.order, order.order, UNKNOWN]))
    currency = draw(st.sampled_from([None, None, None, "CNY"]))
    own = {"return_" if kind == "order.returned" else "cancellation": number}
    return draw(told(kind, order=named, currency=currency, lines=items, **own))


@st.composite
def payments(draw: st.DrawFn, number: str, invoices: st.SearchStrategy[str]) -> Statement:
    amount, currency = draw(st.integers(1, 60)), draw(st.sampled_from(["CNY", "CNY", "EUR"]))
    left, allocations = amount, []
    for name in draw(st.just([]) | st.lists(invoices, unique=True, min_size=1, max_size=2)):
        part = draw(st.integers(0, left))
        left -= part
        allocations.append({"invoice": name, "amount": part})
    order = draw(st.sampled_from(["1", "1", "1", "2", None, UNKNOWN]))
    data = {"payment": number, "amount": amount, "currency": currency, "order": order, "allocations": allocations}
    return draw(told("payment.received", **data))


def by_currency(amounts: tuple[Amount, ...]) -> dict[str, int]:
    return {one.currency: one.amount for one in amounts}


def but_nothing(amounts: Mapping[Any, int]) -> dict[Any, int]:
    return {name: amount for name, amount in amounts.items() if amount}


@given(histories(), st.sampled_from([(PROFILE,), (TWIN,), (PROFILE, TWIN)]))
def test_the_view_the_value_and_brute_force_agree(statements: list[Statement], own: tuple[UUID, ...]) -> None:
    found = Simulation(statements, frozenset(own)).run()
    history = history_of(known(statements, profiles=own), RULES, LATER)
    shown = commerce_figures(history.state.figures)
    assert (shown.orders, shown.returned, shown.waiting) == (found.orders, found.returned, found.waiting)
    assert by_currency(shown.revenue) == but_nothing(found.revenue)
    assert by_currency(history.values.contemporary.lifetime_parts.get("revenue", ())) == but_nothing(found.revenue)
    lines = [(one.currency, one.amount) for one in history.ledger.lines if one.part is Part.REVENUE]
    summed = {code: sum(amount for currency, amount in lines if currency == code) for code, _ in lines}
    assert but_nothing(summed) == but_nothing(found.revenue)
    assert by_currency(shown.receivable_open) == but_nothing(found.receivable_open)
    due = {(one.due_on, one.currency): one.amount for one in shown.receivable_due}
    assert due == but_nothing(found.receivable_due)
    assert by_currency(shown.on_account) == but_nothing(found.on_account)
    placed_at = [one.placed_at for one in history.ledger.orders if not one.cancelled]
    assert shown.last_order_at == max(placed_at, default=None)


@given(documents())
def test_whatever_amounts_there_are_the_view_is_the_value(statements: list[Statement]) -> None:
    history = history_of(known(statements, profiles=PROFILES), RULES, LATER)
    shown, parts = commerce_figures(history.state.figures), history.values.contemporary.lifetime_parts
    assert shown.revenue == tuple(one for one in parts.get("revenue", ()) if one.amount)
    assert all(one.amount > 0 for one in (*shown.on_account, *shown.receivable_open, *shown.receivable_due))
    if shown.receivable_due_total <= MOST_RECEIVABLES:
        due = {code: sum(one.amount for one in shown.receivable_due if one.currency == code) for code in ("CNY", "EUR")}
        assert but_nothing(due) == by_currency(shown.receivable_open)


@given(documents())
def test_nothing_is_returned_or_cancelled_beyond_what_was_sold(statements: list[Statement]) -> None:
    for found in goods_of_orders(open_books(standing(statements))).values():
        for opened in found.lines:
            assert opened.net >= sum(taken.net for taken in opened.taken)
            assert all(taken.net >= 0 and taken.quantity >= 0 for taken in opened.taken)
            assert all(part.net >= 0 and part.quantity >= 0 for part in opened.returned)


@given(documents())
def test_returns_and_cancellations_alone_never_take_more_than_an_order_earned(statements: list[Statement]) -> None:
    kinds = ("order.placed", "order.cancelled", "order.returned")
    goods = standing(one for one in statements if one.kind in kinds)
    earned: dict[Any, int] = {}
    for entry in ledger(goods, POLICY).lines:
        if entry.part is Part.REVENUE:
            earned[entry.purchase] = earned.get(entry.purchase, 0) + entry.amount
    assert all(amount >= 0 for amount in earned.values())
    for found in goods_of_orders(open_books(goods)).values():
        for opened in found.lines:
            took = [(one.quantity, one.net) for one in opened.returned]
            took += [(one.quantity, one.net) for one in opened.taken]
            assert sum(net for _, net in took) <= opened.line.net
            assert sum([quantity for quantity, _ in took]) <= opened.quantity


ALL = line("1", "1", 10_000)
ORDERED = order("O", 0, ALL, currency="EUR")
PAIR = order("O", 0, line("1", "2", 10_000), currency="EUR")
FEE = order("O", 0, ALL, line("fee", "0", 500), currency="EUR")


def returned(minute: int, *lines: dict[str, Any], number: str = "R") -> Statement:
    return document("order.returned", minute, return_=number, order="O", lines=list(lines))


def cancelled(minute: int, *lines: dict[str, Any], number: str = "C") -> Statement:
    return document("order.cancelled", minute, cancellation=number, order="O", lines=list(lines))


def invoiced(pieces: int, minute: int = 1) -> Statement:
    net = 5_000 * pieces
    bill = line("1", str(pieces), net, order="O", order_line="1")
    return document("invoice.issued", minute, invoice="I", currency="EUR", net=net, gross=net, lines=[bill])


CREDITED = document("credit.issued", 3, credit="K", invoice="I", net=10_000, gross=10_000)


@pytest.mark.parametrize(
    ("statements", "revenue", "receivable"),
    [
        ([ORDERED, returned(1, ALL), cancelled(2)], 0, 0),
        ([ORDERED, cancelled(1), returned(2, ALL)], 0, 0),
        ([ORDERED, returned(1, ALL), returned(2, ALL, number="R2")], 0, 0),
        ([ORDERED, returned(1, line("1", "3", 30_000))], 0, 0),
        ([ORDERED, cancelled(1, ALL), cancelled(2, ALL, number="C2")], 0, 0),
        ([ORDERED, cancelled(1), cancelled(2, number="C2")], 0, 0),
        ([ORDERED, returned(1, line("2", "1", 10_000))], 10_000, 0),
        ([ORDERED, cancelled(1, line("2", "1", 10_000))], 10_000, 0),
        ([ORDERED, returned(1)], 0, 0),
        ([PAIR, invoiced(1), cancelled(2)], 5_000, 5_000),
        ([PAIR, invoiced(1), cancelled(2), returned(3)], 0, 5_000),
        ([PAIR, invoiced(2), cancelled(2), CREDITED], 0, 0),
        ([PAIR, invoiced(2), cancelled(2)], 10_000, 10_000),
        ([FEE], 10_500, 0),
        ([FEE, returned(1)], 0, 0),
        ([FEE, returned(1, ALL), cancelled(2)], 0, 0),
        ([FEE, cancelled(1)], 0, 0),
        ([FEE, cancelled(1, line("fee", "0", 500))], 10_000, 0),
    ],
)
def test_what_is_left_of_an_order(statements: list[Statement], revenue: int, receivable: int) -> None:
    history = history_of(known(statements), RULES, LATER)
    shown, parts = commerce_figures(history.state.figures), history.values.contemporary.lifetime_parts
    assert by_currency(shown.revenue) == but_nothing({"EUR": revenue})
    assert by_currency(parts.get("revenue", ())) == but_nothing({"EUR": revenue})
    assert by_currency(shown.receivable_open) == but_nothing({"EUR": receivable})


def summary(*statements: Statement) -> tuple[int, int, datetime | None]:
    """Orders, returns, and when the last order was placed."""
    shown = commerce_figures(history_of(known(statements), RULES, LATER).state.figures)
    return shown.orders, shown.returned, shown.last_order_at


def test_an_order_that_is_cancelled_whole_is_none_and_a_return_that_took_nothing_does_not_count() -> None:
    assert summary(ORDERED, cancelled(1)) == (0, 0, None)
    assert summary(ORDERED, returned(1), cancelled(2)) == (1, 1, ORDERED.occurred_at)
    assert summary(ORDERED, cancelled(1), returned(2)) == (1, 1, ORDERED.occurred_at)  # what came back was there
    assert summary(ORDERED, returned(1), returned(2, number="R2")) == (1, 1, ORDERED.occurred_at)


@pytest.mark.parametrize("foreign", [returned, cancelled])
def test_what_is_in_another_currency_than_its_order_is_left_out_and_reported(foreign: Any) -> None:
    kind, own = ("order.returned", "return_") if foreign is returned else ("order.cancelled", "cancellation")
    named: dict[str, Any] = {own: "X"}
    other = document(kind, 1, order="O", currency="USD", lines=[ALL], **named)
    history = history_of(known([ORDERED, other]), RULES, LATER)
    assert by_currency(commerce_figures(history.state.figures).revenue) == {"EUR": 10_000}
    assert [(gap.code, gap.event_id) for gap in history.ledger.gaps] == [("currency_differs", other.event_id)]


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        (returned(1, line("1", "3", 30_000)), "return_exceeds_order"),
        (cancelled(1, line("1", "3", 30_000)), "cancellation_exceeds_order"),
        (returned(1, line("2", "1", 1)), "return_exceeds_order"),
        (cancelled(1, line("2", "1", 1)), "cancellation_exceeds_order"),
    ],
)
def test_what_exceeds_an_order_is_reported(asked: Statement, code: str) -> None:
    gaps = history_of(known([ORDERED, asked]), RULES, LATER).ledger.gaps
    assert [(gap.code, gap.event_id) for gap in gaps] == [(code, asked.event_id)]


def test_what_was_paid_twice_is_on_account() -> None:
    bill = document(
        "invoice.issued", 0, invoice="I", currency="EUR", net=10_000, gross=10_000, lines=[line("1", "1", 10_000)]
    )
    paid = [
        document(
            "payment.received",
            minute,
            payment=f"P{minute}",
            currency="EUR",
            amount=10_000,
            allocations=[{"invoice": "I", "amount": 10_000}],
        )
        for minute in (1, 2)
    ]
    shown = commerce_figures(history_of(known([bill, *paid]), RULES, LATER).state.figures)
    assert (by_currency(shown.on_account), shown.receivable_open) == ({"EUR": 10_000}, ())


def test_an_invoice_without_terms_is_due_on_the_day_that_it_has_in_its_unit() -> None:
    at = datetime(2026, 2, 28, 23, tzinfo=UTC)
    bill = document("invoice.issued", 0, invoice="I", currency="CNY", net=1, gross=1, lines=[line("1", "1", 1)])
    in_shanghai = replace(bill, occurred_at=at, day=value_day(bill.data, at, ZoneInfo("Asia/Shanghai")))
    shown = commerce_figures(history_of(known([in_shanghai]), RULES, LATER).state.figures)
    assert [(one.due_on, one.amount) for one in shown.receivable_due] == [(date(2026, 3, 1), 1)]
