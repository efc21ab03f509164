"""Settlement against a plain simulation: day by day, and each single minor unit of money by itself."""

from dataclasses import dataclass, field
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from rapport_scoring.domain.ledger.documents import Statement
from rapport_scoring.domain.ledger.policy import LedgerPolicy
from rapport_scoring.domain.ledger.reckoning import ledger
from tests.unit.scoring.documents import day, document, line, on

DAYS = st.integers(0, 12)
POLICY = LedgerPolicy()


@dataclass(frozen=True, slots=True)
class Bill:
    """An invoice: its terms are days and amounts."""

    number: int
    issued: int
    terms: tuple[tuple[int, int], ...]
    ordered: bool

    @property
    def gross(self) -> int:
        return sum(amount for _, amount in self.terms)


@dataclass(frozen=True, slots=True)
class Paid:
    """A payment; allocations are an invoice, an amount, and what is settled on top. `bounced`: day and amount."""

    number: int
    on: int
    amount: int
    allocations: tuple[tuple[int, int, int], ...]
    ordered: bool
    bounced: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class History:
    """All that happened; credits and write-offs are a day, an invoice and an amount."""

    bills: tuple[Bill, ...]
    payments: tuple[Paid, ...]
    credits: tuple[tuple[int, int, int], ...]
    write_offs: tuple[tuple[int, int, int], ...]


@st.composite
def payments(draw: st.DrawFn, number: int, bills: int) -> Paid:
    amount = draw(st.integers(0, 40))
    left, allocations = amount, []
    for bill in draw(st.lists(st.integers(0, bills - 1), unique=True, max_size=2)):
        part = draw(st.integers(0, left))
        left -= part
        allocations.append((bill, part, draw(st.sampled_from([0, 0, 3]))))
    bounced: tuple[tuple[int, int], ...] = ()
    if draw(st.booleans()):
        bounced = ((draw(DAYS), amount),)
        if all(top == 0 for _, _, top in allocations):  # shares of what is on top are by example elsewhere
            bounced = tuple(draw(st.lists(st.tuples(DAYS, st.integers(0, 30)), max_size=2)))
    return Paid(number, draw(DAYS), amount, tuple(allocations), draw(st.booleans()), bounced)


@st.composite
def histories(draw: st.DrawFn) -> History:
    terms = st.lists(st.tuples(st.integers(0, 15), st.integers(1, 20)), min_size=1, max_size=3)
    count = draw(st.integers(1, 3))
    bills = tuple(Bill(number, draw(DAYS), tuple(draw(terms)), draw(st.booleans())) for number in range(count))
    paid = tuple(draw(payments(number, count)) for number in range(draw(st.integers(0, 4))))
    entries = st.lists(st.tuples(DAYS, st.integers(0, count - 1), st.integers(0, 25)), max_size=2)
    return History(bills, paid, tuple(draw(entries)), tuple(draw(entries)))


def statements(history: History) -> list[Statement]:
    found = []
    for bill in history.bills:
        terms = [{"due_on": day(due).isoformat(), "amount": amount} for due, amount in bill.terms]
        goods = [line("x", "1", bill.gross, **({"order": "1"} if bill.ordered else {}))]
        data = {"currency": "CNY", "net": bill.gross, "gross": bill.gross, "lines": goods, "terms": terms}
        found.append(document("invoice.issued", bill.number, **on(bill.issued, invoice=f"i{bill.number}", **data)))
    for paid in history.payments:
        split = [{"invoice": f"i{bill}", "amount": part, "withheld": top} for bill, part, top in paid.allocations]
        data = {"payment": f"p{paid.number}", "currency": "CNY", "amount": paid.amount, "allocations": split}
        data |= {"order": "1"} if paid.ordered else {}
        found.append(document("payment.received", 10 + paid.number, **on(paid.on, **data)))
        for index, (bounced, amount) in enumerate(paid.bounced):
            number, minute = f"{paid.number}-{index}", 20 + 2 * paid.number + index
            data = {"reversal": number, "payment": f"p{paid.number}", "amount": amount}
            found.append(document("payment.reversed", minute, **on(bounced, **data)))
    for index, (happened, named, amount) in enumerate(history.credits):
        data = {"credit": str(index), "invoice": f"i{named}", "net": amount, "gross": amount}
        found.append(document("credit.issued", 40 + index, **on(happened, **data)))
    for index, (happened, named, amount) in enumerate(history.write_offs):
        data = {"write_off": str(index), "invoice": f"i{named}", "amount": amount}
        found.append(document("invoice.written_off", 50 + index, **on(happened, **data)))
    return found


@dataclass(slots=True)
class Simulation:
    """Money as single coins: each of a payment lies on an invoice or, under None, on account."""

    history: History
    until: int
    today: int = -1
    coins: dict[int, list[int | None]] = field(default_factory=dict)
    tops: dict[int, list[tuple[int, int]]] = field(default_factory=dict)
    gone: dict[int, int] = field(default_factory=dict)
    amount_days: dict[int, int] = field(default_factory=dict)

    def run(self) -> None:
        for today in range(self.until + 1):
            self.today = today
            for paid in self.payments():
                if paid.on == today:
                    self.pay(paid)
            for paid in self.history.payments:
                for bounced, amount in paid.bounced:
                    if max(bounced, paid.on) == today and bounced <= self.until:
                        self.bounce(paid, amount)
            if today < self.until:
                for bill in self.bills():
                    if bill.issued <= today:
                        self.amount_days[bill.number] = self.amount_days.get(bill.number, 0) + self.open(bill)

    def bills(self) -> list[Bill]:
        return [bill for bill in self.history.bills if bill.issued <= self.until]

    def payments(self) -> list[Paid]:
        return [paid for paid in self.history.payments if paid.on <= self.until]

    def pay(self, paid: Paid) -> None:
        known = {bill.number for bill in self.bills()}
        named = [(bill, part, top) for bill, part, top in paid.allocations if bill in known]
        laid: list[int | None] = [bill for bill, part, _ in named for _ in range(part)]
        self.coins[paid.number] = laid + [None] * (paid.amount - len(laid))
        self.tops[paid.number] = [(bill, top) for bill, _, top in named]
        self.gone[paid.number] = 0
        self.lay()

    def lay(self) -> None:
        """Coins on account settle the invoices of the order, first those of the first payment in time."""
        for paid in sorted(self.payments(), key=lambda paid: (paid.on, paid.number)):
            coins = self.coins.get(paid.number, [])
            while paid.ordered and None in coins and (bill := self.roomy()) is not None:
                coins.remove(None)
                coins.append(bill.number)

    def roomy(self) -> Bill | None:
        """The invoice of the order that is due first and has room for a coin."""
        ordered = [bill for bill in self.bills() if bill.ordered and self.reserved(bill) < bill.gross]
        return min(ordered, key=lambda bill: (min(due for due, _ in bill.terms), bill.number), default=None)

    def reserved(self, bill: Bill) -> int:
        """What credits and payments settle of an invoice, those that are still to come among them."""
        future = [paid for paid in self.payments() if paid.number not in self.coins]
        to_come = sum(
            part + top for paid in future for on_bill, part, top in paid.allocations if on_bill == bill.number
        )
        return to_come + self.settled(bill) + self.entered(bill, self.history.credits, self.until)

    def settled(self, bill: Bill) -> int:
        laid = sum(coins.count(bill.number) for coins in self.coins.values())
        return laid + sum(top for tops in self.tops.values() for on_bill, top in tops if on_bill == bill.number)

    def entered(self, bill: Bill, entries: tuple[tuple[int, int, int], ...], until: int) -> int:
        return sum(amount for happened, on_bill, amount in entries if on_bill == bill.number and happened <= until)

    def bounce(self, paid: Paid, amount: int) -> None:
        coins = self.coins[paid.number]
        for _ in range(min(amount, len(coins))):
            if None in coins:
                coins.remove(None)
            else:
                coins.pop()
        if not coins:
            self.tops[paid.number] = []
        self.lay()

    def balance(self, bill: Bill) -> int:
        entries = self.history.credits, self.history.write_offs
        return bill.gross - self.settled(bill) - sum(self.entered(bill, entry, self.today) for entry in entries)

    def open(self, bill: Bill) -> int:
        return max(0, self.balance(bill))

    def due(self, bill: Bill) -> list[tuple[int, int]]:
        """What is open by due day: the last due first, as far as the whole is open."""
        left, found = self.open(bill), []
        for due, amount in sorted(bill.terms, key=lambda term: term[0], reverse=True):
            found.append((due, min(amount, left)))
            left -= found[-1][1]
        by_day = {due: sum(part for on_day, part in found if on_day == due) for due, _ in found}
        return sorted((due, amount) for due, amount in by_day.items() if amount)


@given(histories(), st.integers(0, 14))
def test_each_invoice_stands_as_a_simulation_day_by_day_says(history: History, until: int) -> None:
    simulation = Simulation(history, until)
    simulation.run()
    book = ledger(statements(history), POLICY, valued_on=day(until))
    found = {one.event_id: one for one in book.receivables}
    events = {statement.key.number: statement.event_id for statement in book.statements}
    assert len(found) == len(simulation.bills())
    for bill in simulation.bills():
        one = found[events[f"i{bill.number}"]]
        written_off = simulation.entered(bill, history.write_offs, until)
        over = max(0, -simulation.balance(bill))
        assert (one.open, one.over, one.recovered) == (simulation.open(bill), over, min(written_off, over))
        assert one.loss == written_off - one.recovered
        assert one.amount_days == simulation.amount_days.get(bill.number, 0)
        assert one.interest == round(Fraction(one.amount_days * 6, 100 * 365))
        assert list(one.due) == [(day(due), amount) for due, amount in simulation.due(bill)]


@given(histories(), st.integers(0, 14))
def test_money_is_where_the_simulation_says(history: History, until: int) -> None:
    simulation = Simulation(history, until)
    simulation.run()
    book = ledger(statements(history), POLICY, valued_on=day(until))
    rests = sum(coins.count(None) for coins in simulation.coins.values())
    over = sum(one.over - one.recovered for one in book.receivables)
    # A credit whose invoice has not come has no currency here: it waits, and is nowhere.
    assert sum(rest.amount for rest in book.on_account) == rests + over
