"""Each rule of the ledger, by documents and the lines they give."""

from rapport_scoring.domain.ledger.documents import Statement
from rapport_scoring.domain.ledger.lines import Part
from rapport_scoring.domain.ledger.reckoning import ledger
from tests.unit.scoring.documents import POLICY, document, line, order

OF_RECEIVABLES = (Part.RECEIVABLE_INTEREST, Part.BAD_DEBT_RESERVE)


def sums(*statements: Statement) -> dict[str, int]:
    """Amounts by part, without what receivables cost, and handling where it is the estimate of every order."""
    found: dict[str, int] = {}
    for entry in ledger(statements, POLICY).lines:
        if entry.part not in OF_RECEIVABLES and not (entry.part is Part.ORDER_HANDLING and entry.estimated):
            found[entry.part.value] = found.get(entry.part.value, 0) + entry.amount
    return found


def test_an_order_earns_its_net_and_costs_its_goods() -> None:
    assert sums(order("1", 0, line("a", "2", 1000, cost=600))) == {"revenue": 1000, "product_cost": -600}


def test_a_missing_cost_is_estimated_and_marked() -> None:
    lines = ledger([order("1", 0, line("a", "2", 1000))], POLICY).lines
    assert [(entry.part, entry.amount, entry.estimated) for entry in lines] == [
        (Part.REVENUE, 1000, False),
        (Part.PRODUCT_COST, -700, True),
        (Part.ORDER_HANDLING, -500, True),
    ]


def test_a_stated_cost_of_nothing_is_not_missing() -> None:
    assert sums(order("1", 0, line("a", "2", 1000, cost=0))) == {"revenue": 1000}


def test_a_higher_revision_replaces_an_order_whole() -> None:
    first = order("1", 5, line("a", "2", 1000, cost=600), line("b", "1", 50, cost=10))
    second = order("1", 0, line("a", "1", 400, cost=300), revision=2)
    assert sums(first, second) == sums(second) == {"revenue": 400, "product_cost": -300}


def test_the_same_number_in_another_system_is_another_document() -> None:
    here, there = (
        order("1", 0, line("a", "1", 100, cost=0)),
        document(
            "order.placed",
            0,
            system="shop",
            order="1",
            currency="CNY",
            net=7,
            gross=7,
            lines=[line("a", "1", 7, cost=0)],
        ),
    )
    assert sums(here, there) == {"revenue": 107}


def test_a_cancellation_takes_its_lines_and_their_cost() -> None:
    placed = order("1", 0, line("a", "10", 1000, cost=600))
    part = document("order.cancelled", 1, cancellation="c1", order="1", lines=[line("a", "4", 400)])
    assert sums(placed, part) == {"revenue": 600, "product_cost": -360}


def test_a_cancellation_of_the_whole_takes_what_is_left_once() -> None:
    placed = order("1", 0, line("a", "3", 1000, cost=601), charges=[{"type": "freight", "net": 50}])
    part = document("order.cancelled", 9, cancellation="c1", order="1", lines=[line("a", "1", 334)])
    whole = document("order.cancelled", 1, cancellation="c2", order="1")
    again = document("order.cancelled", 2, cancellation="c3", order="1", fee={"net": 20})
    assert sums(placed, part, whole) == {"revenue": 0, "product_cost": 0}
    assert sums(placed, part, whole, again) == {"revenue": 20, "product_cost": 0}


def test_an_invoice_bills_lines_and_the_rest_keeps_its_share() -> None:
    placed = order("1", 0, line("a", "10", 1000, cost=600))
    bill = document(
        "invoice.issued", 1, invoice="i1", net=420, gross=420, lines=[line("x", "4", 420, order="1", order_line="a")]
    )
    assert sums(placed, bill) == {"revenue": 1020, "product_cost": -600}


def test_what_is_billed_is_not_cancelled_but_credited() -> None:
    placed = order("1", 0, line("a", "10", 1000, cost=600))
    bill = document(
        "invoice.issued",
        1,
        invoice="i1",
        net=1000,
        gross=1000,
        lines=[line("x", "10", 1000, order="1", order_line="a")],
    )
    whole = document("order.cancelled", 2, cancellation="c1", order="1")
    credit = document("credit.issued", 3, credit="k1", invoice="i1", net=1000, gross=1000)
    assert sums(placed, bill, whole)["revenue"] == 1000
    assert sums(placed, bill, whole, credit)["revenue"] == 0


def test_a_bill_without_the_line_it_bills_is_not_counted_twice() -> None:
    placed = order("1", 0, line("a", "1", 300, cost=0), line("b", "1", 700, cost=0))
    bill = document("invoice.issued", 1, invoice="i1", net=1000, gross=1000, lines=[line("x", "1", 1000, order="1")])
    assert sums(placed, bill) == {"revenue": 1000}


def test_an_invoices_charges_replace_the_orders() -> None:
    placed = order("1", 0, line("a", "1", 300, cost=0), charges=[{"type": "freight", "net": 50}])
    bill = document(
        "invoice.issued",
        1,
        invoice="i1",
        net=340,
        gross=340,
        lines=[line("x", "1", 300, order="1", order_line="a")],
        charges=[{"type": "freight", "net": 40}],
    )
    assert sums(placed, bill) == {"revenue": 340}


def test_an_invoice_without_order_has_an_estimated_cost() -> None:
    bill = document("invoice.issued", 1, invoice="i1", currency="CNY", net=100, gross=100, lines=[line("x", "1", 100)])
    assert sums(bill) == {"revenue": 100, "product_cost": -70}


def test_a_credit_replaces_the_money_of_the_return_it_names_but_not_its_cost() -> None:
    placed = order("1", 0, line("a", "2", 1000, cost=600))
    back = document(
        "order.returned", 1, return_="r1", order="1", lines=[line("a", "1", 500, cost_recovered=250)], freight_cost=30
    )
    credit = document("credit.issued", 2, credit="k1", return_="r1", net=450, gross=450)
    assert sums(placed, back) == {"revenue": 500, "product_cost": -350, "logistics": -30}
    assert sums(placed, back, credit) == {"revenue": 550, "product_cost": -350, "logistics": -30}


def test_the_best_source_of_a_freight_replaces_the_others() -> None:
    placed = order("1", 0, line("a", "1", 1000, cost=0), costs=[{"type": "freight", "amount": 90}])
    sent = document("shipment.delivered", 1, shipment="s1", order="1", freight={"cost": 80, "paid_by": "us"})
    about_shipment = document("cost.reported", 2, cost="x1", about={"shipment": "s1"}, type="freight", amount=70)
    about_order = document("cost.reported", 3, cost="x2", about={"order": "1"}, type="freight", amount=60)
    assert sums(placed)["logistics"] == -90
    assert sums(placed, sent)["logistics"] == -80
    assert sums(placed, sent, about_shipment)["logistics"] == -70
    assert sums(placed, sent, about_shipment, about_order)["logistics"] == -60


def test_freight_that_the_customer_pays_costs_nothing() -> None:
    placed = order("1", 0, line("a", "1", 1000, cost=0), costs=[{"type": "freight", "amount": 90}])
    sent = document("shipment.delivered", 1, shipment="s1", order="1", freight={"cost": 80, "paid_by": "customer"})
    assert sums(placed, sent) == {"revenue": 1000}


def test_of_one_subject_the_best_basis_counts() -> None:
    placed = order("1", 0, line("a", "1", 1000))
    guess = document("cost.reported", 1, cost="x1", about={"order": "1"}, type="product", amount=500, basis="estimate")
    known = document("cost.reported", 2, cost="x2", about={"order": "1"}, type="product", amount=410)
    assert sums(placed, guess, known) == {"revenue": 1000, "product_cost": -410}


def test_reported_handling_replaces_the_estimate() -> None:
    placed = order("1", 0, line("a", "1", 1000, cost=0), costs=[{"type": "handling", "amount": 120}])
    lines = ledger([placed], POLICY).lines
    assert [entry.amount for entry in lines if entry.part is Part.ORDER_HANDLING] == [-120]


def test_what_names_a_document_that_has_not_come_waits_and_heals() -> None:
    back = document("order.returned", 1, return_="r1", order="1", lines=[line("a", "1", 500)])
    assert ledger([back], POLICY).lines == ()
    assert ledger([back], POLICY).waiting == (back,)
    assert sums(back, order("1", 5, line("a", "1", 500, cost=0))) == {"revenue": 0}


def test_payments_are_kept_and_have_no_line_of_their_own() -> None:
    paid = document("payment.received", 1, payment="p1", currency="CNY", amount=1000)
    assert ledger([paid], POLICY).lines == ()
    assert ledger([paid], POLICY).statements == (paid,)


def test_currencies_stay_apart() -> None:
    dollars = document(
        "order.placed", 1, order="2", currency="USD", net=10, gross=10, lines=[line("a", "1", 10, cost=4)]
    )
    lines = ledger([order("1", 0, line("a", "1", 100, cost=40)), dollars], POLICY).lines
    assert {entry.currency for entry in lines} == {"CNY", "USD"}
    assert sum(entry.amount for entry in lines if entry.currency == "USD") == 6
