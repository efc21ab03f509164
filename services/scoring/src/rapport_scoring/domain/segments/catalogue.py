"""What a segment may read: the names, what each is, and what stands where nobody stated it."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from rapport_shared.contracts.touchpoints.envelope import CHANNELS


class Kind(StrEnum):
    """What a reading is. Money is a number of minor units of the reporting currency."""

    NUMBER = "number"
    TEXT = "text"
    PATH = "path"
    FLAG = "flag"


TICKET_KINDS: Final = frozenset(
    {"service", "repair", "complaint", "follow_up", "survey", "lead", "opportunity", "task"}
)

INDICATORS: Final[Mapping[str, Kind]] = {
    # transaction
    "orders": Kind.NUMBER,
    "revenue": Kind.NUMBER,
    "average_order": Kind.NUMBER,
    "recency_days": Kind.NUMBER,
    "interval_days": Kind.NUMBER,
    "categories": Kind.NUMBER,
    "return_rate": Kind.NUMBER,
    "discount_rate": Kind.NUMBER,
    # finance
    "margin_rate": Kind.NUMBER,
    "receivable_open": Kind.NUMBER,
    "receivable_overdue": Kind.NUMBER,
    "payment_delay_days": Kind.NUMBER,
    # contact
    "contacts": Kind.NUMBER,
    "contact_minutes": Kind.NUMBER,
    "satisfaction": Kind.NUMBER,
    "complaints": Kind.NUMBER,
    "referrals": Kind.NUMBER,
    # attribute
    "assets": Kind.NUMBER,
    "share_of_wallet": Kind.NUMBER,
    "single_sourced": Kind.FLAG,
}
"""By name, in the four classes."""

READINGS: Final[Mapping[str, Kind]] = {
    **{f"value:{name}": Kind.NUMBER for name in ("last_90_days", "lifetime", "potential", "model", "total")},
    "tier": Kind.TEXT,
    "stage": Kind.TEXT,
    **{f"indicator:{name}": kind for name, kind in INDICATORS.items()},
    **{f"attribute:{name}": Kind.TEXT for name in ("kind", "industry", "size", "region", "language")},
    "attribute:unit": Kind.PATH,
    "tickets:open": Kind.NUMBER,
    **{f"tickets:open:{kind}": Kind.NUMBER for kind in sorted(TICKET_KINDS)},
    "tickets:breached": Kind.NUMBER,
}
"""By name. Besides, `alarm:<kind>` and `trigger:<name>`, which are flags."""

FLAGS: Final = ("alarm:", "trigger:")
PERSONAL: Final = frozenset({"attribute:region", "attribute:language"})
"""Readings whose values no event tells."""

AGES: Final = frozenset({"customer", "stage", "tier"})
"""What has an age. Besides, `segment:<name>`: since the customer entered it."""

MEMBER: Final = "segment:"

FIELDS: Final[Mapping[str, frozenset[str]]] = {
    "contacts": frozenset({"channel", "kind", "direction"}),
    "purchases": frozenset({"categories", "skus"}),
    "answers": frozenset({"survey"}),
    "tickets": frozenset({"kind"}),
}
"""By stream of facts: the fields by which its facts can be told apart."""

VOCABULARY: Final[Mapping[tuple[str, str], frozenset[str]]] = {
    ("contacts", "channel"): CHANNELS,
    ("contacts", "direction"): frozenset({"inbound", "outbound"}),
    ("tickets", "kind"): TICKET_KINDS,
}
"""The values there are of fields whose values are known."""


def kind_of(name: str) -> Kind | None:
    """What a reading is; None for a name that is none."""
    if name.startswith(FLAGS):
        return Kind.FLAG if name.partition(":")[2] else None
    return READINGS.get(name)


def default_of(name: str) -> bool | int | None:
    """What a reading is where nobody stated it: no alarm, no ticket, else unknown."""
    if name.startswith(FLAGS):
        return False
    return 0 if name.startswith("tickets:") else None
