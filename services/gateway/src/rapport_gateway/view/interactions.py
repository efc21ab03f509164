"""Contacts: how many, by which channel, when first and last, and the last five.

An interaction counts by its first entry, which exactly one recording is; of one with entries that no longer count,
by the first that does. Its line shows its latest entry.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from rapport_gateway.view.facts import Fact, State

NAME = "interactions"
SHOWN = 5
TEXT_SHOWN = 160
OWN = "custom"
"""The family of the deployment's own kinds."""
_FAMILIES = frozenset({"call", "email", "chat", "sms", "web", "store", "field", OWN})
_NOT_CONTACTS = frozenset({"web.identified"})
OF_CONTACT: Final = (
    "type = 'interaction.recorded' AND kind <> 'web.identified' AND "
    "split_part(kind, '.', 1) IN ('call', 'email', 'chat', 'sms', 'web', 'store', 'field', 'custom')"
)
"""`is_contact` as a condition on facts, in the words of the index that finds a profile's contacts."""


def is_contact(kind: str) -> bool:
    """Whether a touchpoint of this kind is a contact with the customer."""
    return kind.partition(".")[0] in _FAMILIES and kind not in _NOT_CONTACTS


def targets(fact: Fact) -> Iterable[tuple[UUID, str]]:
    """All contacts of a profile are one partial."""
    if fact.type == "interaction.recorded" and fact.profile_id is not None and is_contact(fact.data["kind"]):
        yield fact.profile_id, ""


def fold(state: State | None, fact: Fact, item: str) -> State | None:
    """Counts a new interaction, widens first and last, keeps the lines of the five latest interactions."""
    state = state or {"count": 0, "by_channel": {}, "first_at": fact.at, "last_at": fact.at, "last": {}}
    channel, by_channel = fact.data["channel"], dict(state["by_channel"])
    opens = fact.sequence == 1
    if opens:
        by_channel[channel] = by_channel.get(channel, 0) + 1
    own = line(fact)
    lines = dict(state["last"])
    known = lines.get(own["interaction_id"])
    if known is None or _order(own) > _order(known):
        lines[own["interaction_id"]] = own
    return {
        "count": state["count"] + opens,
        "by_channel": by_channel,
        "first_at": min(state["first_at"], fact.at),
        "last_at": max(state["last_at"], fact.at),
        "last": {kept["interaction_id"]: kept for kept in latest(lines.values())},
    }


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of an interaction, as it was recorded at a profile."""

    event_id: UUID
    sequence: int
    kind: str
    channel: str


def opened_by(entries: Collection[Entry], *, mended: bool) -> Counter[str]:
    """What an interaction counts at a profile, by channel: one or nothing. `entries` are those that count there.

    The entry with the sequence 1 opens the interaction; where one no longer counts (`mended`), the first that does.
    """
    opens = (entry for entry in entries if mended or entry.sequence == 1)
    first = min(opens, key=lambda entry: entry.sequence, default=None)
    return Counter([first.channel] if first is not None and is_contact(first.kind) else ())


def mended(
    state: State | None, before: Counter[str], after: Counter[str], first_at: str | None, lines: Sequence[State]
) -> State | None:
    """A profile's contacts after its interactions that count `before` came to count `after`; None without a contact.

    `first_at` and `lines`, the latest first, are those of all contacts that count.
    """
    if first_at is None or not lines:
        return None
    by_channel = Counter(state["by_channel"] if state else {})
    by_channel.update(after)
    by_channel.subtract(before)
    return {
        "count": by_channel.total(),
        "by_channel": {channel: count for channel, count in by_channel.items() if count},
        "first_at": first_at,
        "last_at": lines[0]["occurred_at"],
        "last": {line["interaction_id"]: line for line in lines},
    }


def render(customer_id: UUID, profiles: Sequence[UUID], partials: Mapping[tuple[UUID, str], State]) -> Any:
    """Sums over the profiles."""
    states = list(partials.values())
    by_channel: dict[str, int] = {}
    for state in states:
        for channel, count in state["by_channel"].items():
            by_channel[channel] = by_channel.get(channel, 0) + count
    return {
        "count": sum(state["count"] for state in states),
        "by_channel": by_channel,
        "first_at": min((state["first_at"] for state in states), default=None),
        "last_at": max((state["last_at"] for state in states), default=None),
        "last": latest(line for state in states for line in state["last"].values()),
    }


def latest(lines: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The five latest lines, the latest first."""
    return sorted(lines, key=_order, reverse=True)[:SHOWN]


def _order(line: dict[str, Any]) -> tuple[str, str]:
    return line["occurred_at"], line["event_id"]


def line(fact: Fact) -> dict[str, Any]:
    """What is shown of a contact."""
    touchpoint = fact.touchpoint
    data = touchpoint.get("data") or {}
    if fact.data["kind"].startswith(f"{OWN}."):
        data = {name: _shown(value) for name, value in data.items() if isinstance(value, str)}
    shown = {
        "interaction_id": fact.data["interaction_id"],
        "event_id": str(fact.event_id),
        "occurred_at": fact.at,
        "channel": fact.data["channel"],
        "kind": fact.data["kind"],
        "agent": touchpoint.get("agent"),
        "direction": data.get("direction"),
        "outcome": data.get("outcome"),
        "subject": _shown(data.get("subject")),
        "text": _shown(data.get("text") or data.get("notes")),
    }
    return {name: value for name, value in shown.items() if value is not None}


def _shown(text: Any) -> Any:
    return text[:TEXT_SHOWN] if isinstance(text, str) else text
