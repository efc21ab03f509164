"""Customers rendered from their partials: the sections that a batch made dirty, and whom that makes stale."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson

from rapport_gateway.projection import related, store
from rapport_gateway.projection.store import StoredView
from rapport_gateway.view import identity, quality
from rapport_gateway.view.facts import State
from rapport_gateway.view.sections import FOLDING, RENDERED, SECTIONS, SOURCES, assess, render
from rapport_shared.clock import Clock
from rapport_shared.database import Connection
from rapport_shared.messaging.outcomes import decide

Dirty = defaultdict[UUID, set[str]]
"""The sections of each customer that must be rendered anew."""

ALL: Final = frozenset(section.NAME for section in RENDERED)
SHOWING: Final = {kept: frozenset(name for name, source in SOURCES.items() if source == kept) for kept in FOLDING}
"""The sections that show the partials of each kind."""


async def render_customers(connection: Connection, run: int, dirty: Dirty, as_of: datetime, clock: Clock) -> set[UUID]:
    """Renders the dirty sections of customers, and keeps what changed; answers the profiles of those renamed."""
    members = await store.members(connection, list(dirty))
    stored = await store.load_views(connection, list(dirty))
    shown = {customer_id for customer_id, view in stored.items() if not view.moved_to}
    # a customer seen for the first time, or again after a merge, is rendered whole
    names = {
        customer_id: (dirty[customer_id] if customer_id in shown else ALL) | {identity.NAME, quality.NAME}
        for customer_id in dirty
    }
    partials = await _partials_by_customer(connection, names, members)
    identities = await _identities(connection, members, partials)
    changed: list[tuple[UUID, dict[str, str], UUID | None]] = []
    for customer_id in sorted(dirty):
        before = stored.get(customer_id)
        if not members[customer_id]:
            moved_to = (await store.customers_of(connection, [customer_id]))[customer_id]
            if before is None or before.moved_to != moved_to:
                changed.append((customer_id, {}, moved_to))
            continue
        sections = dict(before.sections) if before and not before.moved_to else {}
        profiles = members[customer_id]
        sections[identity.NAME] = identities[customer_id]
        for name in names[customer_id] - {identity.NAME, quality.NAME}:
            sections[name] = decide(render, name, customer_id, profiles, partials[customer_id, SOURCES[name]])
        registers, candidates = (partials[customer_id, name] for name in (identity.NAME, quality.NAME))
        sections[quality.NAME] = decide(assess, profiles, sections, registers, candidates)
        if before is None or before.moved_to or sections != before.sections:
            changed.append((customer_id, sections, None))
    if changed:
        await _save(connection, run, changed, stored, as_of, clock)
    renamed = [one for one, sections, moved_to in changed if not moved_to and _renamed(stored.get(one), sections)]
    return {profile_id for customer_id in renamed for profile_id in members[customer_id]}


async def _identities(
    connection: Connection,
    members: dict[UUID, list[UUID]],
    partials: Mapping[tuple[UUID, str], Mapping[tuple[UUID, str], State]],
) -> dict[UUID, str]:
    own = {
        customer_id: decide(render, identity.NAME, customer_id, profiles, partials[customer_id, identity.NAME])
        for customer_id, profiles in members.items()
        if profiles
    }
    return await related.complete(connection, own, members)


def _renamed(before: StoredView | None, sections: Mapping[str, str]) -> bool:
    """Whether a customer is called otherwise than before, also where it is new or a customer again."""
    if before is None or identity.NAME not in before.sections:
        return True
    names = [orjson.loads(text[identity.NAME])["display_name"] for text in (before.sections, sections)]
    return bool(names[0] != names[1])


async def _partials_by_customer(
    connection: Connection, names: Mapping[UUID, Collection[str]], members: dict[UUID, list[UUID]]
) -> defaultdict[tuple[UUID, str], dict[tuple[UUID, str], State]]:
    """The partials that the sections `names` of each customer are rendered from."""
    owners = {profile_id: customer_id for customer_id, profiles in members.items() for profile_id in profiles}
    found: defaultdict[tuple[UUID, str], dict[tuple[UUID, str], State]] = defaultdict(dict)
    wanted = [
        (profile_id, source)
        for profile_id, customer_id in owners.items()
        for source in sorted({SOURCES[name] for name in names[customer_id]})
    ]
    for place, state in await store.partials_of(connection, wanted):
        found[owners[place.profile_id], place.section][place.profile_id, place.item] = state
    return found


async def _save(
    connection: Connection,
    run: int,
    changed: Sequence[tuple[UUID, dict[str, str], UUID | None]],
    stored: dict[UUID, StoredView],
    as_of: Any,
    clock: Clock,
) -> None:
    first = await store.next_seqs(connection, run, len(changed))
    views: list[StoredView] = []
    changes: list[tuple[int, UUID, int, list[str]]] = []
    searches: dict[UUID, str] = {}
    for seq, (customer_id, sections, moved_to) in enumerate(changed, first):
        before = stored.get(customer_id)
        version = before.version + 1 if before else 1
        latest = max(as_of, before.as_of) if before else as_of
        search, units = _search(sections)
        searches[customer_id] = search
        views.append(StoredView(customer_id, version, seq, latest, moved_to, sections, units))
        changes.append((seq, customer_id, version, _names_changed(before, sections)))
    await store.save_views(connection, views, searches)
    await store.save_changes(connection, changes, clock())


def _names_changed(before: StoredView | None, sections: dict[str, str]) -> list[str]:
    if before is None or before.moved_to is not None:
        return list(SECTIONS) if sections else []
    return [name for name in SECTIONS if sections.get(name) != before.sections.get(name)]


def _search(sections: Any) -> tuple[str, tuple[str, ...]]:
    """The text that a customer is searched by, and the units of its profiles."""
    if "identity" not in sections:
        return "", ()
    shown = orjson.loads(sections["identity"])
    # a row that was rendered before has one name and one unit
    known_as = (shown["display_name"], *shown.get("also_known_as", ()))
    units = shown.get("units", [shown["unit"]] if shown["unit"] else [])
    return "\n".join(name for name in known_as if isinstance(name, str)).casefold(), tuple(units)


async def render_stale(connection: Connection, run: int, as_of: datetime, clock: Clock) -> bool:
    """Renders customers that a change elsewhere made stale, as many as are rendered at once; whether there was one."""
    stale = await related.take_stale(connection)
    if stale:
        dirty: Dirty = defaultdict(set, {customer_id: set(ALL) for customer_id in stale})
        await render_customers(connection, run, dirty, as_of, clock)
    return bool(stale)
