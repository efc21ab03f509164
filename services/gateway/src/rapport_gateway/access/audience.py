"""What a caller gets of a customer. Sections and fields leave the gateway through here, whatever the door."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

import orjson

from rapport_gateway.access.visibility import Visibility
from rapport_gateway.projection.store.views import StoredView
from rapport_gateway.view import segments, tickets, timeline, value
from rapport_gateway.view.sections import SECTIONS, canonical
from rapport_shared.callers import Caller

CUSTOMERS, VALUES, SEGMENTS = "customers:read", "values:read", "segments:read"
SECTION_SCOPES: Final = dict.fromkeys(SECTIONS, CUSTOMERS) | {value.NAME: VALUES, segments.NAME: SEGMENTS}
"""The scope that each section needs."""
ENTRY_SCOPES: Final = (
    dict.fromkeys(timeline.OF_PROFILE, CUSTOMERS)
    | dict.fromkeys(timeline.OF_CUSTOMER, VALUES)
    | dict.fromkeys(("segment.entered", "segment.left"), SEGMENTS)
)
"""The entries of a timeline by the type of their event, and the scope that each needs."""


@dataclass(frozen=True, slots=True)
class Audience:
    """Decides by scope, unit and isolation what callers see."""

    visibility: Visibility

    async def customer(self, customer_id: UUID, caller: Caller) -> StoredView:
        """A customer's row with the sections that the caller may read.

        Raises a 404 for a customer that is not known, or that the caller may not know of.
        """
        view = await self.visibility.known(customer_id, caller)
        if len(readable := sections_of(caller)) == len(SECTIONS):
            return view
        sections = {name: text for name, text in view.sections.items() if name in readable}
        if tickets.NAME in sections and not caller.may(VALUES):
            sections[tickets.NAME] = canonical(readable_json(caller, orjson.loads(sections[tickets.NAME])))
        return replace(view, sections=sections)

    async def seen(self, customer_ids: Sequence[UUID], caller: Caller) -> set[UUID]:
        """Those of `customer_ids` that the caller may know of."""
        return await self.visibility.seen(customer_ids, caller)


def sections_of(caller: Caller) -> frozenset[str]:
    """The sections that a caller may read."""
    return frozenset(name for name, scope in SECTION_SCOPES.items() if caller.may(scope))


def require_sections(caller: Caller, asked: Collection[str]) -> None:
    """Raises the 403 that names the scope of a section that the caller asks for and may not read."""
    for name in SECTIONS:
        if name in asked:
            caller.require(SECTION_SCOPES[name])


def entries_of(caller: Caller) -> frozenset[str]:
    """The types of events that a timeline shows a caller."""
    return frozenset(type_ for type_, scope in ENTRY_SCOPES.items() if caller.may(scope))


def readable_json(caller: Caller, answer: Any) -> Any:
    """A JSON answer about tickets or events, as a caller may read it.

    The figures that a ticket was opened for, and what the condition of a segment read, are of the customer's value:
    whoever may not read values gets none.
    """
    if caller.may(VALUES):
        return answer
    match answer:
        case list():
            return [readable_json(caller, inner) for inner in answer]
        case {"origin": {"figures": _}}:
            origin = answer["origin"] | {"figures": {}}
            return {name: readable_json(caller, inner) for name, inner in answer.items()} | {"origin": origin}
        case {"segment": str(), "reading": str()}:
            return answer | {"before": None, "after": None}
        case dict():
            return {name: readable_json(caller, inner) for name, inner in answer.items()}
    return answer


def carried_of(caller: Caller, carried: dict[str, Any]) -> dict[str, Any]:
    """What a hand-over carries, as a caller may read it: without the value where it may read none."""
    return carried if caller.may(VALUES) else carried | {"value": None}
