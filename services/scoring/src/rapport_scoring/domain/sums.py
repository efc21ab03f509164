"""Integer sums by name: the state from which a customer is assessed, whatever order its facts came in.

Sums are added and taken back exactly, so what a fact contributes can be replaced when other facts change it. Names are
texts whose parts are joined by `|`: what is summed, then currency, channel, category and the like.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, TypeAlias

Sums: TypeAlias = dict[str, int]
"""By name; what sums to nothing is missing."""

LINE: Final = "line"
"""`line|part|currency|estimated`: amounts of ledger lines; estimated is 0 or 1."""
LINES: Final = "lines"
"""How many ledger lines there are."""
ORDERS, RETURNED, WAITING = "orders", "returned", "waiting"
"""Orders that are not cancelled whole, returns that took something back, documents that wait for another."""
ON_ACCOUNT: Final = "account"
"""`account|currency`: money that settles no invoice."""
BUYS, EARNED, LIVE = "buys", "earned", "live"
"""`buys|currency`, `earned|currency`: purchases and their revenue. `live`: purchases that are not history."""
LISTED, LIST_PRICE = "listed", "price"
"""`listed|currency`, `price|currency`: revenue of the purchases that state list prices, and these prices."""
CATEGORY, SOLD = "category", "sold"
"""`category|name`: purchases of a category. `sold|currency|category`: revenue of a category."""
INVOICES, BILLED = "invoices", "billed"
"""`invoices|currency`, `billed|currency`: how many invoices there are, and their gross."""
CREDIT_COST: Final = "credit"
"""`credit|currency`: interest on and losses of invoices that are not open."""
PAID, PAID_DAYS, PAID_LATE = "paid", "days", "late"
"""`paid|currency`, `days|currency`, `late|currency`: what was paid of invoices, that × the days it took, and the part
that was paid after its day due."""
CONTACTS, DECAY = "contacts", "decay"
"""`contacts|channel`: contacts. `decay|channel`: their weights, see `contact_weight`."""
CASES, OPEN_CASES = "cases", "open"
"""`cases|kind`, `open|kind`: tickets, and those that are open."""
KEPT: Final = "kept"
"""How many facts there are that are looked at as they are: of assets, answers, wallets."""
DIGEST: Final = "digest"
"""The sum of the digests of the events, see `event_digest`."""


def name_of(*parts: str) -> str:
    """The name with these parts."""
    return "|".join(parts)


def add(into: Sums, more: Mapping[str, int], sign: int = 1) -> None:
    """Adds sums, or takes them back with a `sign` of −1."""
    for name, amount in more.items():
        total = into.get(name, 0) + sign * amount
        if total:
            into[name] = total
        else:
            into.pop(name, None)


def total_of(several: Iterable[Mapping[str, int]]) -> Sums:
    """All of these sums together."""
    found: Sums = {}
    for one in several:
        add(found, one)
    return found


def each(sums: Mapping[str, int], what: str) -> Iterator[tuple[str, int]]:
    """The sums of one kind, by what follows the kind in their names."""
    start = f"{what}|"
    for name, amount in sums.items():
        if name.startswith(start):
            yield name[len(start) :], amount
