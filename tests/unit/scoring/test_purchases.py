"""Which orders and invoices are purchases, and of how much."""

from rapport_scoring.domain.ledger.documents import Statement
from rapport_scoring.domain.ledger.purchases import Purchase
from tests.unit.scoring import states
from tests.unit.scoring.documents import PROFILE, day, document, invoice, line, on, order


def bought(*statements: Statement) -> list[tuple[int, int | None]]:
    return [(one.revenue, one.list_price) for one in states.bought(*statements)]


PLACED = order(
    "1",
    0,
    line("a", "2", 800, list=1_000, sku="S1", category="C1"),
    line("b", "1", 100, list=200, sku="S2"),
    **on(3),
)


def test_an_order_is_a_purchase_with_what_its_lines_say() -> None:
    skus, categories = frozenset({"S1", "S2"}), frozenset({"C1"})
    [only] = states.bought(PLACED)
    assert only == Purchase(PLACED.event_id, PROFILE, day(3), 900, "CNY", 1_200, skus, categories)


def test_without_the_list_price_of_each_line_there_is_none() -> None:
    assert bought(order("1", 0, line("a", "1", 10, list=12), line("b", "1", 10))) == [(20, None)]


def test_what_was_taken_back_is_no_purchase_and_a_part_of_it_less() -> None:
    part = document("order.returned", 1, return_="r1", order="1", lines=[line("a", "1", 400), line("b", "1", 50)])
    whole = document("order.cancelled", 1, cancellation="c1", order="1")
    assert bought(PLACED, part) == [(450, 600)]
    assert bought(PLACED, whole) == []


def test_a_billed_order_is_one_purchase_and_an_invoice_without_order_another() -> None:
    bill = invoice("i1", 5, 780, lines=[line("x", "2", 780, order="1", order_line="a")])
    assert bought(PLACED, bill) == [(880, 1_173)]
    assert bought(invoice("i2", 5, 50)) == [(50, None)]


def test_a_credit_takes_from_the_purchases_that_its_invoice_bills() -> None:
    other = order("2", 0, line("a", "1", 300, cost=0), **on(4))
    bill = invoice(
        "i1",
        5,
        900,
        lines=[line("x", "2", 600, order="1", order_line="a"), line("y", "1", 300, order="2", order_line="a")],
    )
    given = document("credit.issued", 9, credit="k1", invoice="i1", net=90, gross=90)
    assert [revenue for revenue, _ in bought(PLACED, other, bill)] == [700, 300]
    assert [revenue for revenue, _ in bought(PLACED, other, bill, given)] == [640, 270]


def test_neither_a_fee_nor_a_charge_makes_a_purchase_of_what_was_taken_back() -> None:
    placed = order("1", 0, line("a", "1", 800, cost=0), charges=[{"type": "freight", "net": 50}])
    back = document("order.returned", 1, return_="r1", order="1", lines=[line("a", "1", 800)])
    whole = document("order.cancelled", 1, cancellation="c1", order="1", fee={"net": 20})
    assert bought(placed) == [(850, None)]
    assert bought(placed, back) == []
    assert bought(placed, whole) == []
