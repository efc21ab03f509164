"""Relations: those that a customer's records state, and those that other records state about the customer.

A relation leads to a profile; it shows the customer that the profile is part of now, which may not be known yet.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from rapport_gateway.view.facts import optional_instant
from rapport_shared.contracts.customer import ACYCLIC_RELATIONS
from rapport_shared.contracts.ids import source_profile_id
from rapport_shared.normalisation import normalise_identifier, system_and_record

SHOWN: Final = 10
"""Relations that the view lists, and customers of each type that relate to it; there are pages for the rest."""
_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Relation:
    """A relation in force: its latest statement, from any source."""

    type: str
    to_profile: UUID
    record: dict[str, str]
    manual: bool
    stated_at: datetime | None


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A relation of a customer, and the customer that it leads to now. `mutual`: the like leads back from there."""

    relation: Relation
    customer_id: UUID
    mutual: bool


@dataclass(frozen=True, slots=True)
class Incoming:
    """A customer that states a relation to this one; `total` customers do so by the same type."""

    type: str
    customer_id: UUID
    stated_at: datetime | None
    total: int


@dataclass(slots=True)
class Related:
    """The relations of a customer. `incoming` are the latest ten of each type."""

    outgoing: list[Outgoing] = field(default_factory=list)
    incoming: list[Incoming] = field(default_factory=list)


def relations_of(register: Mapping[str, Any]) -> list[Relation]:
    """The relations in force in a profile's register, each once."""
    ended = {(end["type"], UUID(end["profile_id"])) for end in register.get("ended_relations") or ()}
    latest: dict[tuple[str, UUID], dict[str, Any]] = {}
    by_hand: set[tuple[str, UUID]] = set()
    for stated in register.get("relations") or ():
        place = (stated["type"], _target(stated))
        latest[place] = max(latest.get(place, stated), stated, key=_statement_order)
        by_hand |= {place} if stated.get("manual") else set()
    return [
        Relation(type_, to, stated["to"], (type_, to) in by_hand, _stated_at(stated))
        for (type_, to), stated in latest.items()
        if (type_, to) not in ended
    ]


def _target(stated: Mapping[str, Any]) -> UUID:
    known = stated.get("profile_id")
    if known:
        return UUID(known)
    form = normalise_identifier("external", stated["to"]["record"], system=stated["to"]["system"])
    return source_profile_id(*system_and_record(form.normal))


def _statement_order(stated: Mapping[str, Any]) -> tuple[datetime, str]:
    return _stated_at(stated) or _LONG_AGO, str(stated.get("event_id"))


def _stated_at(stated: Mapping[str, Any]) -> datetime | None:
    at = stated.get("occurred_at")
    return datetime.fromisoformat(at) if at else None


def named(related: Iterable[Related]) -> set[UUID]:
    """The customers whose names are shown."""
    found: set[UUID] = set()
    for one in related:
        found |= {line.customer_id for line in _lines(one.outgoing)[:SHOWN]}
        found |= {line.customer_id for line in one.incoming}
    return found


def shown(own: UUID, related: Related, names: Mapping[UUID, Any]) -> dict[str, Any]:
    """The parts of the identity that tell of relations: `relations`, their total, and `related` by type."""
    lines = _lines(related.outgoing)
    by_type: dict[str, dict[str, Any]] = {}
    for line in sorted(related.incoming, key=_latest_first, reverse=True):
        listed = by_type.setdefault(line.type, {"total": line.total, "customers": []})
        listed["customers"].append(
            {
                "customer_id": str(line.customer_id),
                "display_name": names.get(line.customer_id),
                "stated_at": optional_instant(line.stated_at),
            }
        )
    return {
        "relations": [_outgoing(own, line, names) for line in lines[:SHOWN]],
        "relations_total": len(lines),
        "related": by_type,
    }


def _latest_first(line: Incoming) -> tuple[datetime, str]:
    return line.stated_at or _LONG_AGO, str(line.customer_id)


def _lines(outgoing: Sequence[Outgoing]) -> list[Outgoing]:
    """One line for each type and customer: several profiles may say the same."""
    lines: dict[tuple[str, UUID], Outgoing] = {}
    for line in sorted(outgoing, key=_order):
        lines[line.relation.type, line.customer_id] = line
    return sorted(lines.values(), key=lambda line: (line.relation.type, str(line.customer_id)))


def _order(line: Outgoing) -> tuple[bool, datetime, str]:
    return line.relation.manual, line.relation.stated_at or _LONG_AGO, str(line.relation.to_profile)


def _outgoing(own: UUID, line: Outgoing, names: Mapping[UUID, Any]) -> dict[str, Any]:
    relation = line.relation
    return {
        "type": relation.type,
        "to": relation.record,
        "profile_id": str(relation.to_profile),
        "customer_id": str(line.customer_id),
        "display_name": names.get(line.customer_id),
        "stated_at": optional_instant(relation.stated_at),
        "manual": relation.manual,
        "cyclic": is_cyclic(own, line),
    }


def is_cyclic(own: UUID, line: Outgoing) -> bool:
    """Whether the relation leads back: to the customer itself, or to one that is below it by the same type."""
    return line.customer_id == own or (line.mutual and line.relation.type in ACYCLIC_RELATIONS)
