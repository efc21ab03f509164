"""What a customer's facts amount to, as sums: all that its assessment needs of documents and contacts.

The sums are those of its profiles, so a merge adds them up and an undo leaves each with its own.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from uuid import UUID

from rapport_scoring.domain.contributions import EVER, Contributions
from rapport_scoring.domain.settlement.receivables import InvoiceBalance
from rapport_scoring.domain.sums import BUYS, CONTACTS, EARNED, LIVE, Sums, add, each, name_of, total_of

YEAR = timedelta(days=365)
"""How far back windows look."""


@dataclass(frozen=True, slots=True)
class PurchaseDays:
    """The days on which a customer bought, ascending, each once, as ordinals."""

    ordinals: tuple[int, ...] = ()

    @classmethod
    def of(cls, days: Iterable[date]) -> "PurchaseDays":
        """Of days in any order, with repeats."""
        return cls(tuple(sorted({day.toordinal() for day in days})))

    def __len__(self) -> int:
        """How many there are."""
        return len(self.ordinals)

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self.ordinals)

    @property
    def first(self) -> date | None:
        """The first, None for who never bought."""
        return date.fromordinal(self.ordinals[0]) if self.ordinals else None

    @property
    def last(self) -> date | None:
        """The last, None for who never bought."""
        return date.fromordinal(self.ordinals[-1]) if self.ordinals else None

    def until(self, day: date) -> "PurchaseDays":
        """Those up to a day."""
        if not self.ordinals or self.ordinals[-1] <= day.toordinal():
            return self
        return PurchaseDays(self.ordinals[: bisect_right(self.ordinals, day.toordinal())])

    def after(self, day: date) -> date | None:
        """The first after a day."""
        place = bisect_right(self.ordinals, day.toordinal())
        return date.fromordinal(self.ordinals[place]) if place < len(self.ordinals) else None


@dataclass(frozen=True, slots=True)
class CustomerFigures:
    """The sums of a customer's profiles.

    `ever` are of all time; `days` are those of single days, of the last year at least and of the last purchase.
    `invoices` are open. `last_order_at` is the latest order that is not cancelled whole, `first_contact_on` the day of
    the first contact.
    """

    ever: Mapping[str, int] = field(default_factory=dict)
    days: Mapping[date, Mapping[str, int]] = field(default_factory=dict)
    bought_on: PurchaseDays = field(default_factory=PurchaseDays)
    invoices: tuple[InvoiceBalance, ...] = ()
    last_order_at: datetime | None = None
    first_contact_on: date | None = None
    _windows: dict[tuple[timedelta, date], Sums] = field(default_factory=dict, init=False, compare=False, repr=False)

    def within(self, window: timedelta, until: date) -> Mapping[str, int]:
        """The sums of the days in (until − window, until]; no window is longer than `YEAR`."""
        found = self._windows.get((window, until))
        if found is None:
            since = until - window
            found = total_of(sums for day, sums in self.days.items() if since < day <= until)
            self._windows[window, until] = found
        return found

    @property
    def currencies(self) -> list[str]:
        """The currencies of the purchases, sorted."""
        return sorted(currency for currency, count in each(self.ever, BUYS) if count)

    def purchases(self, currency: str) -> int:
        """How many purchases there are in a currency."""
        return self.ever.get(name_of(BUYS, currency), 0)

    def earned(self, currency: str) -> int:
        """The revenue of the purchases in a currency."""
        return self.ever.get(name_of(EARNED, currency), 0)

    @property
    def purchase_count(self) -> int:
        """How many purchases there are."""
        return sum(count for _, count in each(self.ever, BUYS))

    @property
    def last_purchase_is_history(self) -> bool:
        """Whether all purchases of the last day were reported as history."""
        last = self.bought_on.last
        return last is not None and not self.days.get(last, {}).get(LIVE, 0)


def figures_of(contributions: Contributions, own: Set[UUID], contact_days: Iterable[date] = ()) -> CustomerFigures:
    """The figures of the profiles `own`, of contributions of any; `contact_days` are the days of their contacts."""
    mine = [entry for (_, profile_id), entry in contributions.items() if profile_id in own]
    ever: Sums = {}
    days: dict[date, Sums] = {}
    for entry in mine:
        for day, sums in entry.days.items():
            add(ever, sums)
            if day != EVER:
                add(days.setdefault(day, {}), sums)
    return CustomerFigures(
        ever=ever,
        days=days,
        bought_on=PurchaseDays.of(day for day, sums in days.items() if has_purchase(sums)),
        invoices=in_order(entry.invoice for entry in mine),
        last_order_at=max((entry.placed_at for entry in mine if entry.placed_at is not None), default=None),
        first_contact_on=min(contact_days, default=None),
    )


def has_purchase(sums: Mapping[str, int]) -> bool:
    """Whether something was bought on a day with these sums."""
    return any(count for _, count in each(sums, BUYS))


def in_order(invoices: Iterable[InvoiceBalance | None]) -> tuple[InvoiceBalance, ...]:
    """Invoices by moment."""
    found = [invoice for invoice in invoices if invoice is not None]
    return tuple(sorted(found, key=lambda invoice: (invoice.occurred_at, invoice.event_id)))


def channels(figures: CustomerFigures) -> list[str]:
    """The channels on which there were contacts, sorted."""
    return sorted(channel for channel, count in each(figures.ever, CONTACTS) if count)
