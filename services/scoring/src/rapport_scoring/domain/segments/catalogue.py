"""What a segment may read: the names, what each is, and what stands where nobody stated it."""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from rapport_scoring.domain.indicators.indicator import NUMBERS
from rapport_shared.contracts.scoring import SILENCE, Stage, Trigger
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

READINGS: Final[Mapping[str, Kind]] = {
    **{f"value:{name}": Kind.NUMBER for name in ("last_90_days", "lifetime", "potential", "model", "total")},
    "tier": Kind.TEXT,
    "stage": Kind.TEXT,
    **{f"attribute:{name}": Kind.TEXT for name in ("kind", "industry", "size", "region", "language")},
    "attribute:unit": Kind.PATH,
    "tickets:open": Kind.NUMBER,
    **{f"tickets:open:{kind}": Kind.NUMBER for kind in sorted(TICKET_KINDS)},
    f"alarm:{SILENCE}": Kind.FLAG,
    **{f"trigger:{trigger}": Kind.FLAG for trigger in Trigger},
}
"""By name. Besides, `indicator:<name>` and `indicator:<name>:<subject>` of the indicators that are numbers."""

KNOWN: Final[Mapping[str, frozenset[str]]] = {
    "stage": frozenset(Stage),
    "attribute:kind": frozenset({"person", "company", "household"}),
}
"""The values there are of readings whose values are known."""

PERSONAL: Final = frozenset({"attribute:region", "attribute:language"})
"""Readings whose values no event tells."""

AGES: Final = frozenset({"customer", "stage"})
"""What has an age: what follows from facts alone, so that it counts for nothing when somebody looked."""

FIELDS: Final[Mapping[str, frozenset[str]]] = {
    "contacts": frozenset({"channel", "kind", "direction"}),
    "purchases": frozenset({"categories", "skus"}),
    "answers": frozenset({"survey"}),
    "tickets": frozenset({"kind"}),
}
"""By stream of facts: the fields by which its facts can be told apart."""

SEVERAL: Final = frozenset({"categories", "skus"})
"""Fields of which a fact has several values: one that is wanted is enough."""

VOCABULARY: Final[Mapping[tuple[str, str], frozenset[str]]] = {
    ("contacts", "channel"): CHANNELS,
    ("contacts", "direction"): frozenset({"inbound", "outbound"}),
    ("tickets", "kind"): TICKET_KINDS,
}
"""The values there are of fields whose values are known."""


def kind_of(name: str) -> Kind | None:
    """What a reading is; None for a name that is none."""
    family, _, indicator = name.partition(":")
    if family == "indicator":
        return Kind.NUMBER if _INDICATOR.fullmatch(indicator) and indicator.partition(":")[0] in NUMBERS else None
    return READINGS.get(name)


def default_of(name: str) -> bool | int | None:
    """What a reading is where nobody stated it: no alarm, no ticket, else unknown."""
    if kind_of(name) is Kind.FLAG:
        return False
    return 0 if name.startswith("tickets:") else None


_INDICATOR: Final = re.compile(r"[a-z_]+(:[^:]{1,200})?")
