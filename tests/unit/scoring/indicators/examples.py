"""Facts for tests of indicators and dynamics, and strategies that draw them."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from hypothesis import strategies as st

from rapport_scoring.domain.facts import AssetEvent, Case, Contact, WalletStatement
from rapport_scoring.domain.ledger.documents import Statement
from rapport_scoring.domain.rates import Rates
from rapport_scoring.domain.settlement.receivables import Receivable, Settled
from tests.unit.scoring.documents import PROFILE, line, on, order

DAY = date(2026, 3, 1)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
RATES = Rates.model_validate(
    {
        "reporting": "CNY",
        "rates": [
            {"from_day": "2020-01-01", "currency": "EUR", "rate": "7.5"},
            {"from_day": "2026-02-01", "currency": "EUR", "rate": "8"},
            {"from_day": "2020-01-01", "currency": "JPY", "rate": "0.05"},
        ],
    }
)


def day(offset: int) -> date:
    return DAY + timedelta(days=offset)


def purchase(
    offset: int,
    revenue: int = 1000,
    currency: str = "CNY",
    *,
    number: int = 0,
    listed: int | None = None,
    categories: tuple[str, ...] = (),
) -> Statement:
    """An order of the day; the first of its lines, one for each category, has all of the revenue and the list price."""
    goods = [
        line(
            str(place),
            "1",
            0 if place else revenue,
            category=category,
            list=None if listed is None else 0 if place else listed,
        )
        for place, category in enumerate(categories or (None,))
    ]
    return order(f"{offset}-{number}", offset * 24 * 60, *goods, currency=currency, **on(offset))


def receivable(
    number: int, issued: int, due: dict[int, int], paid: tuple[tuple[int, int, int], ...] = (), currency: str = "CNY"
) -> Receivable:
    """`due` by day offset what is open; `paid` as (day offset, amount, day offset due)."""
    still = sum(due.values())
    return Receivable(
        event_id=UUID(int=number),
        profile_id=PROFILE,
        issued_on=day(issued),
        currency=currency,
        gross=still + sum(amount for _, amount, _ in paid),
        open=still,
        over=0,
        due=tuple((day(offset), amount) for offset, amount in sorted(due.items())),
        settled=tuple(Settled(day(on), amount, day(until)) for on, amount, until in paid),
        amount_days=0,
        interest=3,
        reserve=2,
        loss=1,
    )


def contact(hours_ago: int, channel: str = "phone", number: int = 0) -> Contact:
    at = NOON - timedelta(hours=hours_ago)
    identity = UUID(int=(hours_ago + 10_000) * 1000 + number)
    return Contact(identity, PROFILE, at, at.date(), "call.ended", channel, "inbound", 60)


def case(
    number: int, kind: str = "repair", *, opened: int = 48, responded: int | None = None, closed: int | None = None
) -> Case:
    """A ticket by hours ago; open while it is not closed."""

    def ago(hours: int | None) -> datetime | None:
        return None if hours is None else NOON - timedelta(hours=hours)

    at = NOON - timedelta(hours=opened)
    state = "open" if closed is None else "closed"
    identity = UUID(int=number)
    return Case(identity, identity, PROFILE, kind, state, closed is None, at, ago(responded), ago(closed))


def wallet(
    category: str,
    amount: int,
    currency: str = "CNY",
    *,
    number: int = 1,
    start: int = -400,
    until: int | None = None,
    rivals: tuple[tuple[str, int], ...] = (),
    single: bool = False,
) -> WalletStatement:
    last = None if until is None else day(until)
    return WalletStatement(
        UUID(int=number), PROFILE, NOON, category, day(start), last, amount, currency, "declared", single, rivals
    )


def asset_event(
    offset: int,
    happened: str = "serviced",
    mileage: int | None = None,
    asset: str = "car",
    type_: str | None = "vehicle",
) -> AssetEvent:
    identity = UUID(int=(offset + 100_000) * 1000)
    at = NOON + timedelta(days=offset)
    return AssetEvent(identity, PROFILE, at, asset, happened, type_, None, mileage, day(offset))  # type: ignore[arg-type]


OFFSETS = st.integers(-800, 40)
CURRENCIES = st.sampled_from(["CNY", "EUR"])


@st.composite
def purchases(draw: st.DrawFn) -> list[Statement]:
    """Orders that are purchases: some on one day, some after the day, some in another currency."""
    drawn = draw(st.lists(st.tuples(OFFSETS, st.integers(1, 50_000), CURRENCIES, st.none() | st.integers(0, 60_000))))
    return [
        purchase(offset, revenue, currency, number=number, listed=listed)
        for number, (offset, revenue, currency, listed) in enumerate(drawn)
    ]


@st.composite
def receivables(draw: st.DrawFn) -> list[Receivable]:
    amounts, offsets = st.integers(0, 10_000), st.integers(-400, 60)
    drawn = draw(
        st.lists(
            st.tuples(
                st.integers(-500, 20),
                st.dictionaries(offsets, amounts, max_size=3),
                st.lists(st.tuples(st.integers(-500, 0), amounts, offsets), max_size=3),
                CURRENCIES,
            ),
            max_size=6,
        )
    )
    return [
        receivable(number, issued, due, tuple(paid), currency)
        for number, (issued, due, paid, currency) in enumerate(drawn, 1)
    ]
