"""What a customer comes to, computed from the lists of all its facts, plainly: what the sums must give as well.

Rules on purpose: the age of a contact is in whole calendar days, medians are over the last 100 cases that were asked
for, a purchase belongs whole to the profile of its order or invoice, several currencies are converted at the rates of
the day of valuation, and sums of nothing are left out.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from itertools import pairwise

from rapport_scoring.domain.customer import CustomerFacts
from rapport_scoring.domain.dynamics.stages import StagePolicy
from rapport_scoring.domain.facts import Contact
from rapport_scoring.domain.fixed_point import decimal_text, root_text
from rapport_scoring.domain.forecast import MONTH, OwnSales, PurchaseHistory, standing_statements
from rapport_scoring.domain.indicators import Missing
from rapport_scoring.domain.indicators.attribute import LABELS
from rapport_scoring.domain.ledger.documents import counting, standing
from rapport_scoring.domain.ledger.lines import LedgerLine, Part
from rapport_scoring.domain.ledger.purchases import Purchase, purchases
from rapport_scoring.domain.ledger.reckoning import Ledger, ledger_of
from rapport_scoring.domain.rates import Rates
from rapport_scoring.domain.rules import Rules
from rapport_scoring.domain.settlement.receivables import Receivable
from rapport_shared.contracts.money import Amount
from rapport_shared.contracts.scoring import CommerceFigures, ContemporaryValue, ReceivableDue, Stage
from rapport_shared.contracts.ticket import OWN_WORK

QUARTER, YEAR = timedelta(days=90), timedelta(days=365)
LAST_CASES, LISTED_DAYS = 100, 10


@dataclass(frozen=True, slots=True)
class Past:
    """A customer's facts up to the end of the day `on`: ledger lines and invoices, purchases, contacts."""

    facts: CustomerFacts
    rules: Rules
    on: date
    book: Ledger
    purchases: Sequence[Purchase]
    contacts: Sequence[Contact]

    @property
    def bought_on(self) -> list[date]:
        """The days with a purchase, ascending, each once."""
        return sorted({purchase.day for purchase in self.purchases})


def past_of(facts: CustomerFacts, rules: Rules, on: date) -> Past:
    """The past of a customer at the end of a day."""
    counted, policy = counting(standing(facts.statements), on), rules.value.ledger
    contacts = [one for one in {one.event_id: one for one in facts.contacts}.values() if one.day <= on]
    work = [one for one in facts.asset_events if one.day <= on]
    tomorrow = on + timedelta(days=1)
    book = ledger_of(counted, policy, contacts=contacts, asset_events=work, valued_on=tomorrow, own=facts.own)
    everybodys = ledger_of(counted, policy, valued_on=tomorrow).lines
    made = [one for one in purchases(everybodys, counted) if one.profile_id in facts.own]
    return Past(facts, rules, on, book, made, contacts)


def contemporary(past: Past) -> ContemporaryValue:
    """The sums of ledger lines: of all, and of the ninety days that end with the day."""
    lines = past.book.lines
    lately = [line for line in lines if past.on - QUARTER < line.day <= past.on]
    return ContemporaryValue(
        lifetime=_amounts(lines),
        lifetime_parts=_parts(lines),
        lifetime_estimated=_amounts(line for line in lines if line.estimated),
        last_90_days=_amounts(lately),
        last_90_days_parts=_parts(lately),
        last_90_days_estimated=_amounts(line for line in lately if line.estimated),
    )


def commerce(past: Past) -> CommerceFigures:
    """The commerce figures, from ledger lines, invoices, orders and what is on account."""
    book, due = past.book, Counter[tuple[date, str]]()
    for invoice in book.receivables:
        for day, amount in invoice.due:
            due[day, invoice.currency] += amount
    placed = [order.placed_at for order in book.orders if not order.cancelled]
    listed = [ReceivableDue(due_on=day, currency=code, amount=amount) for (day, code), amount in sorted(due.items())]
    return CommerceFigures(
        orders=len(placed),
        returned=sum(order.returns for order in book.orders),
        revenue=_by_currency((one.currency, one.amount) for one in book.lines if one.part is Part.REVENUE),
        last_order_at=max(placed, default=None),
        receivable_open=_by_currency((one.currency, one.open) for one in book.receivables),
        receivable_due=tuple(listed[:LISTED_DAYS]),
        receivable_due_total=len(listed),
        on_account=_by_currency((one.currency, one.amount) for one in book.on_account),
        waiting=len(book.waiting),
    )


def indicators(past: Past) -> dict[str, int | str | Missing]:
    """Every indicator by its key: its value, or why it has none."""
    found: dict[str, int | str | Missing] = {}
    for part in (_transactions, _finances, _contacts, _attributes):
        found |= part(past)
    return found


def recency(past: Past) -> tuple[int, float, float] | None:
    """(x, t_x, T) of the purchases."""
    found = PurchaseHistory((one.day, one.revenue) for one in past.purchases).recency(past.on)
    return None if found is None else (found.repeats, found.last, found.age)


def own_sales(past: Past, currency: str) -> OwnSales:
    """What was bought a month within a year, or since the first purchase, and of a month at the least."""
    lately = [one for one in past.purchases if past.on - YEAR < one.day <= past.on]
    months = min(max((past.on - past.bought_on[0]).days / MONTH, 1.0), YEAR.days / MONTH)
    sold = Counter[str]()
    for one in lately:
        sold[one.currency] += one.revenue
    rates = past.rules.value.rates
    amount = sum(_in(rates, revenue, code, currency, past.on) or 0 for code, revenue in sold.items())
    return OwnSales(amount / months, len(lately) / months, currency)


def _in(rates: Rates, amount: int, code: str, currency: str, day: date) -> int | None:
    return amount if code == currency else rates.worth(amount, code, day)


def _amounts(lines: Iterable[LedgerLine]) -> tuple[Amount, ...]:
    """The sum in each currency that has a part that is not nothing."""
    parts = Counter[tuple[str, Part, bool]]()
    for line in lines:
        parts[line.currency, line.part, line.estimated] += line.amount
    found = Counter[str]()
    for (currency, _, _), amount in parts.items():
        if amount:
            found[currency] += amount
    return tuple(Amount(amount=amount, currency=currency) for currency, amount in sorted(found.items()))


def _parts(lines: Sequence[LedgerLine]) -> dict[str, tuple[Amount, ...]]:
    found = {part.value: _amounts(line for line in lines if line.part is part) for part in Part}
    return {part: amounts for part, amounts in sorted(found.items()) if amounts}


def _by_currency(amounts: Iterable[tuple[str, int]]) -> tuple[Amount, ...]:
    found = Counter[str]()
    for currency, amount in amounts:
        found[currency] += amount
    return tuple(Amount(amount=amount, currency=currency) for currency, amount in sorted(found.items()) if amount)


def _transactions(past: Past) -> dict[str, int | str | Missing]:
    days = past.bought_on
    found: dict[str, int | str | Missing] = {
        "orders": len(past.purchases),
        "recency_days": (past.on - days[-1]).days if days else Missing.NO_PURCHASE,
        "interval_mean_days": _interval_mean(days),
        "interval_variation": _interval_variation(days),
    }
    for currency in {one.currency for one in past.purchases}:
        own = [one for one in past.purchases if one.currency == currency]
        found[f"average_order_value:{currency}"] = round(Fraction(sum(one.revenue for one in own), len(own)))
        last = sum(one.revenue for one in own if (past.on - one.day).days < 90)
        before = sum(one.revenue for one in own if 90 <= (past.on - one.day).days < 180)
        found[f"trend:{currency}"] = decimal_text(Fraction(last, before)) if before else Missing.NOTHING_BEFORE
        listed = [(one.revenue, one.list_price) for one in own if one.list_price]
        price, paid = sum(price for _, price in listed if price), sum(revenue for revenue, _ in listed)
        depth = decimal_text(1 - Fraction(paid, price)) if price else Missing.NO_LIST_PRICE
        found[f"discount_depth:{currency}"] = depth
    return found


def _interval_mean(days: Sequence[date]) -> str | Missing:
    if len(days) < 2:
        return Missing.TOO_FEW_PURCHASES
    return decimal_text(Fraction((days[-1] - days[0]).days, len(days) - 1), 2)


def _interval_variation(days: Sequence[date]) -> str | Missing:
    intervals = [(later - earlier).days for earlier, later in pairwise(days)]
    if len(intervals) < 2:
        return Missing.TOO_FEW_PURCHASES
    count, total = len(intervals), sum(intervals)
    squares = sum(interval * interval for interval in intervals)
    return root_text(Fraction(count * squares - total * total, total * total))


def _finances(past: Past) -> dict[str, int | str | Missing]:
    owed = past.book.receivables
    names = ("days_sales_outstanding", "overdue_ratio", "late_ratio", "exposure")
    found: dict[str, int | str | Missing] = {} if owed else dict.fromkeys(names, Missing.NO_INVOICE)
    for currency in {one.currency for one in owed}:
        of_it = _credit([one for one in owed if one.currency == currency], past.on)
        found |= {f"{name}:{currency}": value for name, value in of_it.items()}
    return found


def _credit(owed: Sequence[Receivable], on: date) -> dict[str, int | str | Missing]:
    exposure = sum(one.open for one in owed)
    billed = sum(one.gross for one in owed if on - QUARTER < one.issued_on <= on)
    unpaid = sum(amount for one in owed for due_on, amount in one.due if due_on < on)
    parts = [(one, part) for one in owed for part in one.settled if on - YEAR < part.day <= on]
    paid = sum(part.amount for _, part in parts)
    took = sum(part.amount * (part.day - one.issued_on).days for one, part in parts)
    late = unpaid + sum(part.amount for _, part in parts if part.day > part.due_on)
    return {
        "days_sales_outstanding": decimal_text(Fraction(exposure * 90, billed), 2)
        if billed
        else Missing.NOTHING_INVOICED,
        "days_to_pay": decimal_text(Fraction(took, paid), 2) if paid else Missing.NOTHING_SETTLED,
        "overdue_ratio": decimal_text(Fraction(unpaid, exposure) if exposure else Fraction(0)),
        "late_ratio": decimal_text(Fraction(late, paid + unpaid)) if paid + unpaid else Missing.NOTHING_SETTLED,
        "exposure": exposure,
        "credit_cost": sum(one.interest + one.reserve + one.loss for one in owed),
    }


def _contacts(past: Past) -> dict[str, int | str | Missing]:
    at = datetime.combine(past.on, time.max, UTC)
    half_life = past.rules.value.contacts.half_life_days
    weights: defaultdict[str, list[float]] = defaultdict(list)
    for one in past.contacts:
        weights[one.channel].append(2 ** (-(past.on - one.day).days / half_life))
    found: dict[str, int | str | Missing] = {
        f"decayed_contacts:{channel}": decimal_text(Fraction(sum(sorted(own)))) for channel, own in weights.items()
    }
    cases = {case.ticket_id: case for case in past.facts.cases if case.opened_at <= at}
    complaints = [case for case in cases.values() if case.kind == "complaint"]
    found["complaints"], found["complaints_open"] = len(complaints), sum(case.open for case in complaints)
    asked = [case for case in cases.values() if case.kind not in OWN_WORK]
    asked = sorted(asked, key=lambda case: (case.opened_at, case.ticket_id))[-LAST_CASES:]
    found["response_seconds"] = _median([(case.opened_at, case.responded_at) for case in asked])
    found["resolution_seconds"] = _median([(case.opened_at, case.resolved_at) for case in asked])
    given = {one.event_id: one for one in past.facts.answers if one.occurred_at <= at}
    for survey in {one.survey for one in given.values()}:
        own = sorted((one.occurred_at, one.event_id, one.score) for one in given.values() if one.survey == survey)
        scores = [score for *_, score in own[-past.rules.value.contacts.answers :]]
        found[f"satisfaction:{survey}"] = decimal_text(Fraction(sum(scores), len(scores)), 2)
    return found


def _median(spans: Iterable[tuple[datetime, datetime | None]]) -> int | Missing:
    took = sorted(max(0, (end - start) // timedelta(seconds=1)) for start, end in spans if end is not None)
    return round(Fraction(took[(len(took) - 1) // 2] + took[len(took) // 2], 2)) if took else Missing.NO_CASE


def _attributes(past: Past) -> dict[str, int | str | Missing]:
    first = min([*past.bought_on, *(one.day for one in past.contacts)], default=None)
    found: dict[str, int | str | Missing] = {
        "tenure_days": Missing.NOTHING_KNOWN if first is None else (past.on - first).days
    }
    for name in LABELS:
        stated = past.facts.attributes.get(name)
        found[name] = Missing.NOT_STATED if stated is None else stated.value
    stand = standing_statements(past.facts.wallets, past.on)
    found["single_sourced"] = sum(one.single_source for one in stand) if stand else Missing.NO_WALLET
    found["share_of_wallet"] = _share_of_wallet(past)
    return found


def _share_of_wallet(past: Past) -> str | Missing:
    """Of a purchase of several categories each has an equal part, in whole units that add up."""
    wallets = {one.category: one for one in standing_statements(past.facts.wallets, past.on)}
    if not wallets:
        return Missing.NO_WALLET
    held = [Amount(amount=one.amount, currency=one.currency) for one in wallets.values()]
    sold = []
    for one in past.purchases:
        names = sorted(one.categories)
        for place, name in enumerate(names):
            part = one.revenue * (place + 1) // len(names) - one.revenue * place // len(names)
            if name in wallets and past.on - QUARTER < one.day:
                sold.append(Amount(amount=part, currency=one.currency))
    rates = past.rules.value.rates
    all_held, all_sold = rates.exact(held, past.on), rates.exact(sold, past.on)
    if not isinstance(all_held, Fraction) or not isinstance(all_sold, Fraction):
        return Missing.NO_RATE
    return decimal_text(all_sold / 3 / all_held) if all_held > 0 else Missing.NO_WALLET


def stage(days: Iterable[date], on: date, policy: StagePolicy) -> Stage:
    """The stage on a day, of the days up to it on which something was bought."""
    run, returned = present_run([day for day in days if day <= on], policy)
    if not run:
        return Stage.PROSPECT
    if (on - run[-1]).days > policy.lapse_days:
        return Stage.LAPSED
    tenure = (on - run[0]).days
    if len(run) >= policy.lifelong_orders and tenure >= policy.lifelong_days:
        return Stage.LIFELONG
    if len(run) >= policy.loyal_orders and tenure >= policy.loyal_days:
        return Stage.LOYAL
    if returned:
        return Stage.WON_BACK
    return Stage.FIRST_ORDER if len(run) == 1 else Stage.DEVELOPING


def stage_since(days: Iterable[date], on: date, policy: StagePolicy) -> date | None:
    """The first of the days up to `on` that all had the stage of `on` in the run of `on`; None for a prospect."""
    made = sorted({day for day in days if day <= on})
    present = stage(made, on, policy)
    run, _ = present_run(made, policy)
    if not run:
        return None
    since = on
    while since > run[0] and stage(made, since - timedelta(days=1), policy) is present:
        since -= timedelta(days=1)
    return since


def next_stage_day(days: Iterable[date], on: date, policy: StagePolicy) -> date | None:
    """The first day after `on` with another stage if nothing more is bought; None if it never changes."""
    made = [day for day in days if day <= on]
    if not made:
        return None
    now, last = stage(made, on, policy), max(made) + timedelta(days=policy.lapse_days + 1)
    ahead = on + timedelta(days=1)
    while ahead <= last:
        if stage(made, ahead, policy) is not now:
            return ahead
        ahead += timedelta(days=1)
    return None


def present_run(days: Iterable[date], policy: StagePolicy) -> tuple[list[date], bool]:
    """The days since the last gap that was a lapse, ascending, and whether there was one."""
    run: list[date] = []
    for day in sorted(set(days), reverse=True):
        if run and (run[-1] - day).days > policy.lapse_days:
            return run[::-1], True
        run.append(day)
    return run[::-1], False
