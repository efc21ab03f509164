"""What settles which invoice, what stands open, and what that costs: each rule by example."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from rapport_scoring.domain.ledger.documents import Statement
from rapport_scoring.domain.ledger.lines import Part
from rapport_scoring.domain.ledger.policy import LedgerPolicy, ReserveShares
from rapport_scoring.domain.ledger.reckoning import Ledger, ledger
from rapport_scoring.domain.settlement.receivables import Receivable, Settled
from tests.unit.scoring.documents import PROFILE, day, document, invoice, line, on, order, payment

OTHER = UUID("00000000-0000-5000-8000-000000000002")
SHARES = ReserveShares(
    current=Decimal("0.01"),
    days_1_30=Decimal("0.1"),
    days_31_60=Decimal("0.2"),
    days_61_90=Decimal("0.4"),
    over_90=Decimal("0.8"),
)
POLICY = LedgerPolicy(handling_cost={}, missing_cost_share=Decimal(0), reserve=SHARES)


def book(on_day: int, *statements: Statement) -> Ledger:
    return ledger(statements, POLICY, valued_on=day(on_day))


def stands(on_day: int, *statements: Statement) -> Receivable:
    """The one receivable there is."""
    [found] = book(on_day, *statements).receivables
    return found


def part(of: Ledger, part: Part, currency: str = "CNY") -> int:
    return sum(entry.amount for entry in of.lines if entry.part is part and entry.currency == currency)


def on_account(of: Ledger) -> list[tuple[str, int]]:
    return [(rest.currency, rest.amount) for rest in of.on_account]


def codes(of: Ledger) -> list[str]:
    return [gap.code for gap in of.gaps]


def reversal(on_day: int, amount: int, payment: str = "p1", **more: Any) -> Statement:
    return document("payment.reversed", 0, **on(on_day, reversal="b1", payment=payment, amount=amount, **more))


def refund(on_day: int, amount: int, **of: Any) -> Statement:
    return document("payment.refunded", 0, **on(on_day, refund="f1", amount=amount, **of))


def write_off(on_day: int, amount: int, number: str = "w1", **more: Any) -> Statement:
    return document("invoice.written_off", 0, **on(on_day, write_off=number, invoice="i1", amount=amount, **more))


def credit(on_day: int, gross: int, **more: Any) -> Statement:
    data = {"credit": "c1", "invoice": "i1", "currency": "CNY", "net": gross, "gross": gross}
    return document("credit.issued", 0, **on(on_day, **{**data, **more}))


INSTALMENTS = (
    invoice("i1", 0, 12_000_000, (30, 4_000_000), (60, 4_000_000), (90, 4_000_000)),
    payment("p1", 30, 4_000_000, "i1"),
    payment("p2", 75, 2_000_000, "i1"),
    payment("p3", 120, 6_000_000, "i1"),
)


def test_interest_runs_on_what_is_open_each_day() -> None:
    paid = stands(200, *INSTALMENTS)
    assert (paid.open, paid.interest) == (0, 162_740)
    assert part(book(200, *INSTALMENTS), Part.RECEIVABLE_INTEREST) == -162_740


def test_instalments_age_each_by_itself() -> None:
    late = stands(100, *INSTALMENTS)
    assert late.due == ((day(60), 2_000_000), (day(90), 4_000_000))
    assert late.reserve == 2_000_000 * 20 // 100 + 4_000_000 * 10 // 100
    reserved = [entry for entry in book(100, *INSTALMENTS).lines if entry.part is Part.BAD_DEBT_RESERVE]
    assert [(entry.item, entry.amount) for entry in reserved] == [("31-60", -400_000), ("1-30", -400_000)]


def test_a_settled_part_names_the_day_it_was_due() -> None:
    assert stands(200, *INSTALMENTS).settled == (
        Settled(day(30), 4_000_000, day(30)),
        Settled(day(75), 2_000_000, day(60)),
        Settled(day(120), 2_000_000, day(60)),
        Settled(day(120), 4_000_000, day(90)),
    )


def test_each_day_overdue_falls_into_its_bucket() -> None:
    bill = invoice("i1", 0, 1_000, (10, 1_000))
    reserve_on = {days: stands(10 + days, bill).reserve for days in (-10, 0, 1, 30, 31, 60, 61, 90, 91)}
    assert reserve_on == {-10: 10, 0: 10, 1: 100, 30: 100, 31: 200, 60: 200, 61: 400, 90: 400, 91: 800}


def test_what_comes_in_after_a_write_off_is_recovered_whatever_its_date() -> None:
    bill, first, loss = invoice("i1", 0, 100), payment("p1", 1, 40, "i1"), write_off(50, 60)
    for paid_on in (10, 70):
        end = stands(90, bill, first, loss, payment("p2", paid_on, 30, "i1"))
        assert (end.open, end.over, end.recovered, end.loss) == (0, 30, 30, 30)
    assert part(book(90, bill, first, loss), Part.WRITE_OFF_LOSS) == -60
    assert part(book(90, bill, first, loss, payment("p2", 70, 30, "i1")), Part.WRITE_OFF_LOSS) == -30
    assert on_account(book(90, bill, first, loss, payment("p2", 70, 30, "i1"))) == []


def test_a_write_off_can_be_revoked_and_several_add_up() -> None:
    bill = invoice("i1", 0, 100)
    assert stands(90, bill, write_off(50, 60), write_off(50, 0, revision=2)).open == 100
    two = book(90, bill, write_off(50, 60), write_off(60, 40, "w2"), payment("p1", 70, 50, "i1"))
    losses = [(entry.day, entry.amount) for entry in two.lines if entry.part is Part.WRITE_OFF_LOSS]
    assert losses == [(day(50), -50)]


def test_a_down_payment_counts_from_the_first_day_of_its_invoice() -> None:
    bill = invoice("i1", 10, 10_000_000)
    for down in (payment("p1", 0, 3_000_000, "i1"), payment("p1", 0, 3_000_000, order="1")):
        billed = invoice("i1", 10, 10_000_000, lines=[line("x", "1", 10_000_000, order="1")])
        assert stands(11, billed if down.data.order else bill, down).amount_days == 7_000_000  # type: ignore[attr-defined]


def test_half_of_a_line_that_comes_back_as_scrap_reverses_half_of_its_revenue() -> None:
    placed = order("1", 0, line("a", "2", 10_000, tax=1_300, cost=6_000), tax=1_300, gross=11_300)
    back = document("order.returned", 1, return_="r1", order="1", lines=[line("a", "1", 5_000, tax=650)])
    both = book(10, placed, back)
    assert part(both, Part.REVENUE) == 5_000
    assert part(both, Part.PRODUCT_COST) == -6_000
    assert [entry.amount for entry in both.lines if entry.event_id == back.event_id] == [-5_000]


EUROS = invoice("i1", 0, 1_000, currency="EUR")


def test_a_foreign_payment_closes_the_invoice_in_its_own_currency() -> None:
    paid = payment("p1", 5, 7_800, allocations=[{"invoice": "i1", "amount": 1_000, "paid": 7_800}])
    both = book(10, EUROS, paid)
    assert (both.receivables[0].currency, both.receivables[0].open) == ("EUR", 0)
    assert on_account(both) == []
    assert {entry.currency for entry in both.lines} == {"EUR"}


def test_a_foreign_allocation_that_does_not_say_what_was_paid_is_left_out() -> None:
    both = book(10, EUROS, payment("p1", 5, 7_800, "i1", allocations=[{"invoice": "i1", "amount": 1_000}]))
    assert (both.receivables[0].open, on_account(both), codes(both)) == (1_000, [("CNY", 7_800)], ["paid_missing"])


def test_an_earlier_revision_that_comes_late_changes_nothing() -> None:
    newest = order("1", 0, line("a", "1", 700, cost=0), revision=2)
    first = order("1", 5, line("a", "1", 1_000, cost=0), revision=1)
    assert part(book(10, newest, first), Part.REVENUE) == 700


def test_a_discount_settles_and_costs_and_what_was_withheld_settles_only() -> None:
    split = [{"invoice": "i1", "amount": 900, "cash_discount": 30, "withheld": 70}]
    paid = payment("p1", 5, 900, allocations=split)
    both = book(5, invoice("i1", 0, 1_000), paid)
    assert both.receivables[0].open == 0
    [cost] = [entry for entry in both.lines if entry.part is Part.PAYMENT_COST]
    assert (cost.amount, cost.item, cost.event_id, cost.day) == (-30, "cash_discount", paid.event_id, day(5))


def test_a_bounced_payment_opens_the_invoice_again_from_its_own_day() -> None:
    split = [{"invoice": "i1", "amount": 970, "cash_discount": 30}]
    facts = [invoice("i1", 0, 1_000), payment("p1", 10, 970, allocations=split), reversal(20, 970, fee=7)]
    again = book(30, *facts)
    assert (again.receivables[0].open, again.receivables[0].amount_days) == (1_000, 1_000 * (10 + 10))
    assert again.receivables[0].settled == ()
    assert part(again, Part.PAYMENT_COST) == -7
    assert book(15, *facts).receivables[0].open == 0


def test_a_part_that_bounced_is_taken_from_what_is_on_account_then_from_the_last_settled() -> None:
    bills = [invoice("i1", 0, 100), invoice("i2", 0, 100)]
    split = [{"invoice": "i1", "amount": 100}, {"invoice": "i2", "amount": 100}]
    paid = payment("p1", 1, 250, allocations=split)
    after = book(9, *bills, paid, reversal(2, 90))
    assert {one.open for one in after.receivables} == {0, 40}
    assert [one.open for one in after.receivables if one.event_id == bills[1].event_id] == [40]
    assert on_account(after) == []
    assert codes(book(9, *bills, paid, reversal(2, 251))) == ["reversal_exceeds_payment"]


def test_what_bounced_in_part_takes_its_share_of_the_discount() -> None:
    split = [{"invoice": "i1", "amount": 970, "cash_discount": 30}]
    facts = [invoice("i1", 0, 1_000), payment("p1", 10, 970, allocations=split), reversal(20, 485)]
    after = book(30, *facts)
    assert after.receivables[0].open == 500
    costs = [(entry.day, entry.amount) for entry in after.lines if entry.part is Part.PAYMENT_COST]
    assert sorted(costs) == [(day(10), -30), (day(20), 15)]


def test_an_allocation_made_anew_replaces_the_first_as_of_the_payments_own_date() -> None:
    bills = [invoice("i1", 0, 100), invoice("i2", 0, 100)]
    anew = document(
        "payment.allocated", 9_000, payment="p1", revision=2, allocations=[{"invoice": "i2", "amount": 100}]
    )
    after = book(5, *bills, payment("p1", 1, 100, "i1"), anew)
    opened = {one.event_id: (one.open, one.amount_days) for one in after.receivables}
    assert opened == {bills[0].event_id: (100, 500), bills[1].event_id: (0, 100)}


def test_what_no_allocation_settles_goes_to_the_orders_invoices_the_oldest_due_first() -> None:
    def bill(number: str, due: int, **more: Any) -> Statement:
        return invoice(number, 0, 100, (due, 100), **{"lines": [line("x", "1", 100, order="1")], **more})

    bills = [bill("i1", 50), bill("i2", 20), bill("i3", 10, lines=[line("x", "1", 100)]), bill("i4", 5, currency="EUR")]
    after = book(9, *bills, payment("p1", 1, 150, order="1"))
    left = {one.event_id: one.open for one in after.receivables}
    assert [left[one.event_id] for one in bills] == [50, 0, 100, 100]
    much = book(9, *bills, payment("p1", 1, 230, order="1"))
    assert on_account(much) == [("CNY", 30)]


def test_money_paid_again_after_a_bounce_settles_the_order_in_its_stead() -> None:
    bill = invoice("i1", 0, 100, lines=[line("x", "1", 100, order="1")])
    bounced = [payment("p1", 1, 100, order="1"), reversal(10, 100)]
    late = stands(30, bill, *bounced, payment("p2", 20, 100, order="1"))
    assert (late.open, late.amount_days) == (0, 100 * (1 + 10))
    early = book(30, bill, *bounced, payment("p2", 5, 100, order="1"))
    assert (early.receivables[0].open, early.receivables[0].amount_days, on_account(early)) == (0, 100, [])


def test_an_order_without_invoice_has_no_receivable_and_its_payment_is_on_account() -> None:
    after = book(9, order("1", 0, line("a", "1", 100, cost=0)), payment("p1", 1, 100, order="1"))
    assert (after.receivables, on_account(after)) == ((), [("CNY", 100)])


def test_an_invoice_that_bills_nothing_has_no_receivable_and_a_payment_of_its_order_is_on_account() -> None:
    free = invoice("i1", 0, 0, lines=[line("x", "1", 0, order="1")])
    after = book(9, free, payment("p1", 1, 100, order="1"))
    assert ([one.open for one in after.receivables], on_account(after)) == ([0], [("CNY", 100)])


def test_a_refund_takes_from_what_is_on_account_and_never_from_revenue() -> None:
    paid = payment("p1", 1, 100)
    assert on_account(book(9, paid, refund(2, 60, payment="p1"))) == [("CNY", 40)]
    assert book(9, paid, refund(2, 60, payment="p1")).lines == ()
    assert codes(book(9, paid, refund(2, 101, payment="p1"))) == ["refund_exceeds_account"]
    owed = credit(1, 50, invoice=None)
    assert on_account(book(9, owed)) == [("CNY", 50)]
    assert on_account(book(9, owed, refund(2, 50, credit="c1"))) == []


def test_a_refund_takes_nothing_from_an_invoice_of_which_its_payment_settles_nothing() -> None:
    bills = [invoice(number, 0, 1, lines=[line("a", "1", 1, order="1")]) for number in ("i1", "i2")]
    nothing = [{"invoice": "i1", "amount": 0}]
    paid = [payment("p1", 0, 1, order="1", allocations=nothing), payment("p2", 0, 2, "i1")]
    after = book(9, *bills, *paid, refund(0, 1, payment="p1"))
    assert (on_account(after), codes(after)) == ([("CNY", 1)], ["refund_exceeds_account"])


def test_a_credit_of_a_paid_invoice_is_on_account_until_it_is_paid_back() -> None:
    facts = [invoice("i1", 0, 100), payment("p1", 1, 100, "i1"), credit(5, 20)]
    assert stands(9, *facts).over == 20
    assert on_account(book(9, *facts)) == [("CNY", 20)]
    for source in ({"credit": "c1"}, {"payment": "p1"}):
        assert on_account(book(9, *facts, refund(6, 20, **source))) == []


def test_allocations_of_more_than_a_payment_are_cut_to_it() -> None:
    bills = [invoice("i1", 0, 100), invoice("i2", 0, 100)]
    split = [{"invoice": "i1", "amount": 100}, {"invoice": "i2", "amount": 100}]
    anew = document("payment.allocated", 0, payment="p1", revision=2, allocations=split)
    after = book(9, *bills, payment("p1", 1, 130), anew)
    assert (sorted(one.open for one in after.receivables), codes(after)) == ([0, 70], ["over_allocated"])


def test_a_named_instalment_is_settled_before_older_ones() -> None:
    terms = [
        {"instalment": "1", "due_on": day(10).isoformat(), "amount": 60},
        {"instalment": "2", "due_on": day(20).isoformat(), "amount": 40},
    ]
    bill = invoice("i1", 0, 100, terms=terms)
    second = payment("p1", 1, 50, allocations=[{"invoice": "i1", "instalment": "2", "amount": 50}])
    assert stands(5, bill, second).due == ((day(10), 50),)
    unknown = payment("p1", 1, 50, allocations=[{"invoice": "i1", "instalment": "9", "amount": 50}])
    assert stands(5, bill, unknown).due == ((day(10), 10), (day(20), 40))
    assert codes(book(5, bill, unknown)) == ["unknown_instalment"]


def test_a_payment_whose_invoice_has_not_come_waits_on_account() -> None:
    paid = payment("p1", 1, 100, "i1")
    assert (on_account(book(9, paid)), book(9, paid).waiting) == ([("CNY", 100)], (paid,))
    healed = book(9, paid, invoice("i1", 3, 100))
    assert (on_account(healed), healed.waiting, healed.receivables[0].open) == ([], (), 0)


def test_a_receivable_is_its_invoices_and_a_rest_its_payers() -> None:
    bill = invoice("i1", 0, 100)
    split = [{"invoice": "i1", "amount": 90, "cash_discount": 10}]
    paid = document(
        "payment.received", 0, profile=OTHER, **on(1, payment="p1", currency="CNY", amount=120, allocations=split)
    )
    bounced = document("payment.reversed", 0, profile=OTHER, **on(2, reversal="b1", payment="p1", amount=0, fee=3))
    ours = ledger([bill, paid, bounced], POLICY, valued_on=day(5), own=frozenset([PROFILE]))
    theirs = ledger([bill, paid, bounced], POLICY, valued_on=day(5), own=frozenset([OTHER]))
    assert (part(ours, Part.PAYMENT_COST), ours.receivables[0].open, on_account(ours)) == (-13, 0, [])
    assert (theirs.lines, theirs.receivables, on_account(theirs)) == ((), (), [("CNY", 30)])


def test_what_contradicts_in_currency_is_left_out_and_told() -> None:
    bill, paid = invoice("i1", 0, 100), payment("p1", 1, 50)
    foreign = [
        credit(1, 10, currency="EUR"),
        write_off(1, 10, currency="EUR"),
        refund(1, 5, payment="p1", currency="EUR"),
    ]
    after = book(9, bill, paid, *foreign)
    assert (after.receivables[0].open, codes(after)) == (100, ["currency_differs"] * 3)
    assert on_account(after) == [("CNY", 50), ("EUR", 10)]


def test_a_write_off_that_somebody_else_holds_is_a_loss_of_the_invoices_profile() -> None:
    lost = document("invoice.written_off", 0, profile=OTHER, **on(5, write_off="w1", invoice="i1", amount=60))
    ours = ledger([invoice("i1", 0, 100), lost], POLICY, valued_on=day(9), own=frozenset([PROFILE]))
    assert part(ours, Part.WRITE_OFF_LOSS) == -60
    assert [entry.event_id for entry in ours.lines if entry.part is Part.WRITE_OFF_LOSS] == [lost.event_id]


def test_returns_of_more_than_was_ordered_are_cut_and_told() -> None:
    placed = order("1", 0, line("a", "2", 1_000, cost=0))
    back = document("order.returned", 1, return_="r1", order="1", lines=[line("a", "4", 2_000)])
    after = book(9, placed, back)
    assert (part(after, Part.REVENUE), codes(after)) == (0, ["return_exceeds_order"])
