"""The rows of customers: the sections that a batch made dirty, rendered from partials."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson

from rapport_gateway.projection import related
from rapport_gateway.projection.batch import Batch
from rapport_gateway.projection.store import customers
from rapport_gateway.projection.store.views import StoredView
from rapport_gateway.view import commerce, identity, quality
from rapport_gateway.view.facts import State
from rapport_gateway.view.sections import LISTED, SECTIONS, SOURCES, assess, render
from rapport_shared.messaging.outcomes import rejecting

_ASSESSED: Final = frozenset({identity.NAME, quality.NAME})
"""What the quality of a record is assessed by, its own being the candidates; and whether documents wait."""


async def render_customers(batch: Batch, as_of: datetime) -> set[UUID]:
    """Renders the dirty sections of customers; answers the profiles of those renamed."""
    names = {customer_id: _names(batch, customer_id) for customer_id in batch.dirty}
    if any(identity.NAME in shown or LISTED.keys() & shown for shown in names.values()):
        await batch.write()
    lists = await _lists(batch, names)
    identities = await _identities(batch, names)
    renamed: set[UUID] = set()
    for customer_id in sorted(names):
        before = batch.cache.profiles[customer_id].view
        moved_to = None if batch.cache.members[customer_id] else batch.customer_of(customer_id)
        changed = _sections(batch, customer_id, names[customer_id], identities.get(customer_id), lists[customer_id])
        if before is not None and before.moved_to is None:
            changed = {name: text for name, text in changed.items() if before.sections.get(name) != text}
        if before is None or before.moved_to != moved_to or changed:
            _keep_row(batch, customer_id, moved_to, changed, as_of)
            if moved_to is None and _renamed(before, changed):
                renamed.update(batch.members(customer_id))
    batch.dirty.clear()
    return renamed


def _names(batch: Batch, customer_id: UUID) -> set[str]:
    """The sections of a customer to render: all of one that is new, or again a customer after a merge."""
    before = batch.cache.profiles[customer_id].view
    if not batch.cache.members[customer_id]:
        return set()
    if before is None or before.moved_to is not None:
        return {*SECTIONS}
    names = batch.dirty[customer_id]
    assessed = not names.isdisjoint(_ASSESSED) or (commerce.NAME in names and _waiting_changes(batch, customer_id))
    return names | {quality.NAME} if assessed else names


def _waiting_changes(batch: Batch, customer_id: UUID) -> bool:
    """Whether documents wait for others that did not before, or none does any more: a gap of the record."""
    before = batch.cache.profiles[customer_id].view
    shown = orjson.loads(before.sections[commerce.NAME])["waiting"] if before else 0
    return bool(shown) != commerce.waits(batch.partials_of(customer_id, SOURCES[commerce.NAME]).get((customer_id, "")))


async def _lists(
    batch: Batch, names: Mapping[UUID, Collection[str]]
) -> defaultdict[UUID, dict[str, dict[tuple[UUID, str], State]]]:
    """The first items of the lists that are shown, by customer and section."""
    asked = {
        (profile_id, name): customer_id
        for customer_id, shown in names.items()
        for name in sorted(LISTED.keys() & shown)
        for profile_id in batch.members(customer_id)
        if batch.may_have_items(profile_id)
    }
    found: defaultdict[UUID, dict[str, dict[tuple[UUID, str], State]]] = defaultdict(dict)
    for place, state in (await batch.lists_of(asked)).items():
        customer_id = asked[place.profile_id, place.section]
        found[customer_id].setdefault(place.section, {})[place.profile_id, place.item] = state
    return found


async def _identities(batch: Batch, names: Mapping[UUID, Collection[str]]) -> dict[UUID, str]:
    own = {
        customer_id: _render(batch, customer_id, identity.NAME, {})
        for customer_id, shown in names.items()
        if identity.NAME in shown
    }
    batch.identified.update(own)
    members = {customer_id: batch.members(customer_id) for customer_id in own}
    if not own:
        return {}
    completed = await related.complete(batch.connection, own, members)
    batch.linked = batch.linked or completed != own
    return completed


def _sections(
    batch: Batch,
    customer_id: UUID,
    names: Collection[str],
    shown: str | None,
    lists: Mapping[str, Mapping[tuple[UUID, str], State]],
) -> dict[str, str]:
    """The sections `names` of a customer as JSON texts."""
    sections = {} if shown is None else {identity.NAME: shown}
    for name in names:
        if name not in (identity.NAME, quality.NAME):
            sections[name] = _render(batch, customer_id, name, lists.get(name, {}))
    if quality.NAME in names:
        before = batch.cache.profiles[customer_id].view
        known = {**(before.sections if before else {}), **sections}
        registers = batch.partials_of(customer_id, identity.NAME)
        candidates = lists.get(quality.NAME, {})
        sections[quality.NAME] = rejecting(assess, batch.members(customer_id), known, registers, candidates)
    return sections


def _render(batch: Batch, customer_id: UUID, name: str, items: Mapping[tuple[UUID, str], State]) -> str:
    partials = {**batch.partials_of(customer_id, SOURCES[name]), **items}
    return rejecting(render, name, customer_id, batch.members(customer_id), partials)


def _keep_row(
    batch: Batch, customer_id: UUID, moved_to: UUID | None, changed: Mapping[str, str], as_of: datetime
) -> None:
    """A customer's next row; one that is rendered twice in a turn has one version more, not two."""
    before = batch.cache.profiles[customer_id].view
    _, former = batch.rows.get(customer_id, (None, {}))
    again = customer_id in batch.rows
    sections = {**(before.sections if before and moved_to is None else {}), **changed}
    renders_identity = identity.NAME in changed or moved_to is not None
    row = StoredView(
        customer_id=customer_id,
        version=(before.version if before else 0) + (not again),
        seq=0,
        as_of=max(as_of, before.as_of) if before else as_of,
        moved_to=moved_to,
        sections=sections,
        units=_units(changed) if renders_identity or before is None else before.units,
    )
    batch.cache.profiles[customer_id].view = row
    batch.rows[customer_id] = row, {**former, **changed}


def _renamed(before: StoredView | None, changed: Mapping[str, str]) -> bool:
    """Whether a customer is called otherwise than before, also where it is new or a customer again."""
    if before is None or identity.NAME not in before.sections:
        return True
    if identity.NAME not in changed:
        return False
    names = [orjson.loads(text[identity.NAME])["display_name"] for text in (before.sections, changed)]
    return bool(names[0] != names[1])


async def write(batch: Batch, at: datetime) -> bool:
    """Writes what changed, and ends the turn; whether a row did. Raises `CursorMoved`."""
    rows = [
        (replace(row, seq=seq), changed)
        for seq, (row, changed) in enumerate((batch.rows[one] for one in sorted(batch.rows)), batch.seq + 1)
    ]
    searches = {row.customer_id: _search(changed) for row, changed in rows if identity.NAME in changed}
    parts = batch.take_parts()
    await customers.save_all(batch.connection, batch.run, batch.turn, parts, rows, searches, at)
    for row, _ in rows:
        batch.cache.profiles[row.customer_id].view = row
    batch.cache.end(batch.turn)
    return bool(rows)


def _search(sections: Mapping[str, str]) -> str:
    """The text that a customer is searched by: all its names."""
    shown: dict[str, Any] = orjson.loads(sections[identity.NAME])
    known_as = (shown["display_name"], *shown["also_known_as"])
    return "\n".join(name for name in known_as if isinstance(name, str)).casefold()


def _units(sections: Mapping[str, str]) -> tuple[str, ...]:
    """The units of a customer's profiles."""
    return tuple(orjson.loads(sections[identity.NAME])["units"]) if identity.NAME in sections else ()
