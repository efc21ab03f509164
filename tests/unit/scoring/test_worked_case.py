"""Two customers of the same revenue: one buys much and pays late, one buys little and often and pays at once."""

from decimal import Decimal

from rapport_scoring.domain.ledger.documents import Statement
from rapport_scoring.domain.ledger.lines import LedgerLine
from rapport_scoring.domain.ledger.policy import LedgerPolicy, ReserveShares
from rapport_scoring.domain.ledger.reckoning import ledger
from tests.unit.scoring.documents import day, document, invoice, line, on, order, payment, within

POLICY = LedgerPolicy(handling_cost={"CNY": 20_000}, reserve=ReserveShares(current=Decimal("0.02")))


def sums(lines: tuple[LedgerLine, ...]) -> dict[str, int]:
    found: dict[str, int] = {}
    for entry in lines:
        found[entry.part.value] = found.get(entry.part.value, 0) + entry.amount
    return found


def large_order(number: str, placed_on: int) -> list[Statement]:
    """100,000.00 after 12 % discount; half is paid at once, half is billed at 45 days and paid when it falls due."""

    def half(name: str, due: int) -> Statement:
        goods = [line("x", "1", 5_000_000, order=number, order_line="a")]
        return invoice(name, placed_on, 5_000_000, (due, 5_000_000), lines=goods)

    goods = line("a", "2", 10_000_000, list=11_363_636, discount=1_363_636, cost=7_954_545)
    freight = {"cost": 300_000, "paid_by": "us"}
    return [
        order(number, 0, goods, **on(placed_on)),
        document("shipment.delivered", 0, **on(placed_on, shipment=f"s{number}", order=number, freight=freight)),
        half(f"{number}-now", placed_on),
        half(f"{number}-later", placed_on + 45),
        payment(f"{number}-p1", placed_on, 5_000_000, f"{number}-now"),
        payment(f"{number}-p2", placed_on + 45, 5_000_000, f"{number}-later"),
    ]


def test_a_customer_that_buys_much_and_pays_late() -> None:
    facts = [fact for number, placed_on in (("1", 0), ("2", 30), ("3", 60)) for fact in large_order(number, placed_on)]
    book = ledger(facts, POLICY, valued_on=day(90))
    lines = within(book, day(0), day(90))
    assert sums(lines) == {
        "revenue": 30_000_000,
        "product_cost": -23_863_635,
        "order_handling": -60_000,
        "logistics": -900_000,
        "receivable_interest": -98_630,
        "bad_debt_reserve": -100_000,
    }
    assert sum(one.amount_days for one in book.receivables) == 120 * 5_000_000
    assert sum(entry.amount for entry in lines) == 4_977_735


def test_a_customer_that_buys_often_and_pays_at_once() -> None:
    goods = line("a", "1", 1_000_000, list=1_052_632, discount=52_632, cost=736_842)
    facts = [order(str(number), 0, goods, **on(3 * number)) for number in range(30)]
    facts += [payment(f"p{number}", 3 * number, 1_000_000, order=str(number)) for number in range(30)]
    book = ledger(facts, POLICY, valued_on=day(90))
    assert sums(within(book, day(0), day(90)))["order_handling"] == -600_000
    assert sum(entry.amount for entry in within(book, day(0), day(90))) == 7_294_740


def test_a_window_takes_documents_with_all_their_lines_and_lifetime_all() -> None:
    book = ledger([*large_order("1", 0), *large_order("2", 30)], POLICY, valued_on=day(100))
    late = within(book, day(10), day(100))
    assert sums(late)["receivable_interest"] == -36_986
    assert {entry.day for entry in late} == {day(30)}
    assert {entry.day for entry in book.lines} - {entry.day for entry in late} == {day(0)}
