"""The projector: the one writer of a run of the view. One poll, one batch, one transaction."""

import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import UUID

import orjson

from rapport_gateway import store
from rapport_gateway.runs import Run, touch_caught_up
from rapport_gateway.store import StoredView
from rapport_gateway.view import commerce, identity, interactions, quality
from rapport_gateway.view.facts import Fact, State, read_fact
from rapport_gateway.view.sections import FOLDED, RETRACTABLE, SECTIONS, Place, assess, fold, places_of, render
from rapport_shared.clock import Clock
from rapport_shared.contracts.catalogue import EVENT_TOPICS
from rapport_shared.database import Connection, Database
from rapport_shared.messaging.consumer import Subscription
from rapport_shared.messaging.outcomes import decide

Dirty = defaultdict[UUID, set[str]]
"""The sections of each customer that must be rendered anew."""

_ALL = frozenset(section.NAME for section in FOLDED)
_CAUGHT_UP_SECONDS = 0.5


@dataclass(slots=True)
class Projector:
    """Folds facts into one run. `announce` is awaited after each commit that changed something."""

    run: Run
    database: Database
    clock: Clock
    announce: Callable[[], Awaitable[None]]
    _last_caught_up: float = field(default=0.0)

    def subscription(self) -> Subscription[Fact]:
        """What the run's consumer reads and does."""
        return Subscription(
            consumer=self.run.consumer,
            topics=EVENT_TOPICS,
            decode=read_fact,
            apply=partial(project, self.run.run, self.clock),
            committed=self.announce,
            caught_up=self._caught_up,
        )

    async def _caught_up(self) -> None:
        if time.monotonic() - self._last_caught_up >= _CAUGHT_UP_SECONDS:
            self._last_caught_up = time.monotonic()
            await touch_caught_up(self.database, self.run.run, self.clock())


async def project(run: int, clock: Clock, connection: Connection, batch: Sequence[Fact]) -> None:
    """Folds a batch of facts in the caller's transaction; known facts change nothing."""
    facts = list({fact.event_id: fact for fact in batch}.values())
    new = await store.insert_facts(connection, facts)
    facts = [fact for fact in facts if fact.event_id in new]
    if not facts:
        return
    dirty: Dirty = defaultdict(set)
    ended = await _note_retractions(connection, facts)
    await _note_registers(connection, facts)
    places = {fact.event_id: decide(lambda f: list(places_of(f)), fact) for fact in facts}
    await _follow_moves(connection, facts, places, dirty)
    standing = [fact for fact in facts if fact.event_id not in ended]
    await _fold(connection, standing, places, dirty)
    await _refold(connection, facts, dirty)
    as_of = max(fact.recorded_at for fact in facts)
    await _render(connection, run, dirty, as_of, clock)


async def _note_retractions(connection: Connection, facts: Sequence[Fact]) -> set[UUID]:
    """Keeps the batch's retractions; answers which of its recordings no longer count."""
    ended = [UUID(fact.data["event_id"]) for fact in facts if fact.type == "interaction.retracted"]
    if ended:
        await store.insert_retractions(connection, ended)
    recordings = [fact.event_id for fact in facts if fact.type == "interaction.recorded"]
    return await store.retracted(connection, recordings) if recordings else set()


async def _note_registers(connection: Connection, facts: Sequence[Fact]) -> None:
    routes = [fact for fact in facts if fact.type == "customer.identifier_routed"]
    if routes:
        await store.put_routes(connection, sorted(routes, key=lambda fact: (fact.subject, fact.sequence)))
    for fact in sorted(facts, key=lambda fact: (fact.subject, fact.sequence)):
        match fact.type:
            case "customer.asset_changed":
                await store.put_asset_keys(connection, fact)
            case "customer.unit_changed":
                await store.put_unit(connection, fact)


async def _follow_moves(
    connection: Connection, facts: Sequence[Fact], places: dict[UUID, list[Place]], dirty: Dirty
) -> None:
    moves = [move for fact in facts if fact.type in _MERGES for move in fact.data["moves"]]
    profiles = {place.profile_id for found in places.values() for place in found}
    profiles |= {fact.profile_id for fact in facts if fact.profile_id is not None}
    profiles |= {UUID(move[name]) for move in moves for name in ("profile_id", "customer_id")}
    if profiles:
        await store.begin_memberships(connection, profiles)
    for move in sorted(moves, key=lambda move: (move["profile_id"], move["mapping_seq"])):
        customer_id = UUID(move["customer_id"])
        former = await store.move_profile(connection, UUID(move["profile_id"]), customer_id, move["mapping_seq"])
        if former is not None:
            dirty[former] |= _ALL
            dirty[customer_id] |= _ALL


_MERGES = frozenset({"customer.merged", "customer.unmerged"})


async def _fold(connection: Connection, facts: Sequence[Fact], places: dict[UUID, list[Place]], dirty: Dirty) -> None:
    touched = {place for fact in facts for place in places[fact.event_id]}
    profiles = {place.profile_id for place in touched} | {fact.profile_id for fact in facts if fact.profile_id}
    customers = await store.lock_customers(connection, profiles) if profiles else {}
    for fact in facts:
        if fact.profile_id is not None and fact.type != "score.updated":
            dirty[customers[fact.profile_id]] |= {"identity"}
    if not touched:
        return
    partials = await store.load_partials(connection, touched)
    changed: dict[Place, State] = {}
    for fact in facts:
        for place in places[fact.event_id]:
            state = decide(fold, changed.get(place) or partials.get(place), fact, place)
            if state is not None:
                changed[place] = state
                dirty[customers[place.profile_id]].add(place.section)
    await store.save_partials(connection, changed)
    await _note_identifiers(connection, changed)
    await _connect_documents(connection, facts, dirty)


async def _note_identifiers(connection: Connection, changed: dict[Place, State]) -> None:
    held = {
        place.profile_id: {identifier["key"] for identifier in state["profile"].get("identifiers", ())}
        for place, state in changed.items()
        if place.section == "identity"
    }
    if held:
        await store.put_held_identifiers(connection, held)


async def _connect_documents(connection: Connection, facts: Sequence[Fact], dirty: Dirty) -> None:
    """A document changes what is shown wherever a document that it is settled with was reported."""
    items: dict[str, list[str]] = {}
    for fact in facts:
        if fact.type == "interaction.recorded":
            item = commerce.item_of(fact)
            if item is not None:
                items[item] = commerce.references_of(fact)
    references = [(target, item) for item, targets in items.items() for target in targets]
    if references:
        await store.save_references(connection, references)
    if items:
        connected = await store.connected_documents(connection, items)
        profiles = await store.document_profiles(connection, connected)
        for customer_id in (await store.customers_of(connection, profiles)).values():
            dirty[customer_id].add(commerce.NAME)


async def _refold(connection: Connection, facts: Sequence[Fact], dirty: Dirty) -> None:
    """After a retraction, a profile's partials are folded anew from the recordings that stand.

    So they are at each further entry of an interaction that has retracted ones, for which of them opens it depends on
    all that stand.
    """
    ended = [UUID(fact.data["event_id"]) for fact in facts if fact.type == "interaction.retracted"]
    profiles = await store.profiles_of_facts(connection, ended) if ended else set()
    entries = [fact for fact in facts if fact.type == "interaction.recorded" and fact.profile_id is not None]
    mended = await _mended_interactions(connection, entries)
    profiles |= {fact.profile_id for fact in entries if fact.profile_id and fact.data["interaction_id"] in mended}
    customers = await store.customers_of(connection, profiles) if profiles else {}
    for profile_id in sorted(profiles):
        documents = {place.item for place, _ in await store.partials_of(connection, [(profile_id, commerce.NAME)])}
        connected = await store.connected_documents(connection, documents) if documents else set()
        await store.forget_partials(connection, profile_id, RETRACTABLE)
        recordings = await store.standing_recordings(connection, profile_id)
        partials = fold_all(recordings, await _mended_interactions(connection, recordings))
        if partials:
            await store.save_partials(connection, partials)
        await _connect_documents(connection, recordings, dirty)
        for other in await store.document_profiles(connection, connected):
            customers.update(await store.customers_of(connection, [other]))
        dirty[customers[profile_id]] |= {*RETRACTABLE}
    for customer_id in set(customers.values()):
        dirty[customer_id].add(commerce.NAME)


async def _mended_interactions(connection: Connection, recordings: Sequence[Fact]) -> set[str]:
    named = {UUID(fact.data["interaction_id"]) for fact in recordings}
    return {str(found) for found in await store.mended_interactions(connection, named)} if named else set()


def fold_all(facts: Sequence[Fact], mended: Collection[str] = ()) -> dict[Place, State]:
    """The partials of a set of facts, folded from nothing; the facts are distinct and all count.

    `mended` are the interactions that had entries which no longer count.
    """
    partials: dict[Place, State] = {}
    for fact in interactions.opened_anew(facts, mended):
        for place in places_of(fact):
            state = fold(partials.get(place), fact, place)
            if state is not None:
                partials[place] = state
    return partials


async def _render(connection: Connection, run: int, dirty: Dirty, as_of: Any, clock: Clock) -> None:
    members = await store.members(connection, list(dirty))
    stored = await store.load_views(connection, list(dirty))
    shown = {customer_id for customer_id, view in stored.items() if not view.moved_to}
    # a customer seen for the first time, or again after a merge, is rendered whole
    names = {
        customer_id: (dirty[customer_id] if customer_id in shown else _ALL) | {identity.NAME, quality.NAME}
        for customer_id in dirty
    }
    partials = await _partials_by_customer(connection, names, members)
    changed: list[tuple[UUID, dict[str, str], UUID | None]] = []
    for customer_id in sorted(dirty):
        before = stored.get(customer_id)
        if not members[customer_id]:
            moved_to = (await store.customers_of(connection, [customer_id]))[customer_id]
            if before is None or before.moved_to != moved_to:
                changed.append((customer_id, {}, moved_to))
            continue
        sections = dict(before.sections) if before and not before.moved_to else {"segments": "[]"}
        profiles = members[customer_id]
        for name in names[customer_id] - {quality.NAME}:
            sections[name] = decide(render, name, customer_id, profiles, partials[customer_id, name])
        registers, candidates = (partials[customer_id, name] for name in (identity.NAME, quality.NAME))
        sections[quality.NAME] = decide(assess, profiles, sections, registers, candidates)
        if before is None or before.moved_to or sections != before.sections:
            changed.append((customer_id, sections, None))
    if changed:
        await _save(connection, run, changed, stored, as_of, clock)


async def _partials_by_customer(
    connection: Connection, names: Mapping[UUID, Collection[str]], members: dict[UUID, list[UUID]]
) -> defaultdict[tuple[UUID, str], dict[tuple[UUID, str], State]]:
    """The partials that the sections `names` of each customer are rendered from, others' documents among them."""
    owners = {profile_id: customer_id for customer_id, profiles in members.items() for profile_id in profiles}
    found: defaultdict[tuple[UUID, str], dict[tuple[UUID, str], State]] = defaultdict(dict)
    wanted = [(profile_id, name) for profile_id, customer_id in owners.items() for name in sorted(names[customer_id])]
    for place, state in await store.partials_of(connection, wanted):
        found[owners[place.profile_id], place.section][place.profile_id, place.item] = state
    items = [
        (customer_id, item) for (customer_id, name), own in found.items() if name == commerce.NAME for _, item in own
    ]
    if items:
        for customer_id, place, state in await store.documents_of_others(connection, items):
            found[customer_id, commerce.NAME][place.profile_id, place.item] = state
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
