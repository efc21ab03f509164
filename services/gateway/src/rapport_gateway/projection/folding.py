"""Folds facts into the partials of a run. Each fact counts once, in any order of arrival."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from rapport_gateway.projection import related, retracting
from rapport_gateway.projection.batch import Batch
from rapport_gateway.projection.store import assets, registers
from rapport_gateway.projection.store.facts import NewFacts
from rapport_gateway.view import identity, interactions
from rapport_gateway.view.facts import Fact
from rapport_gateway.view.sections import SECTIONS, Place, fold, places_of
from rapport_shared.messaging.outcomes import rejecting

_MERGES = frozenset({"customer.merged", "customer.unmerged"})

Places = Mapping[UUID, Sequence[Place]]
"""The partials that each fact changes."""


async def fold_facts(batch: Batch, facts: Sequence[Fact], new: NewFacts) -> tuple[set[UUID], set[UUID]]:
    """Folds facts of which none was known, and writes what they change but the rows of customers.

    Answers the profiles that moved, and those to which another's relations have changed.
    """
    retractions = await retracting.note(batch.connection, facts, new)
    await _note_registers(batch, facts)
    places = {fact.event_id: rejecting(lambda f: list(places_of(f)), fact) for fact in facts}
    moves = [move for fact in facts if fact.type in _MERGES for move in fact.data["moves"]]
    await _meet(batch, facts, places, moves)
    moved = _follow(batch, moves)
    await batch.need_items(place for found in places.values() for place in found)
    for fact in facts:
        if fact.event_id not in retractions.ended:
            _fold(batch, fact, places[fact.event_id], retractions.mended)
    await retracting.mend(batch, retractions)
    led_to = await _note_profiles(batch)
    return moved, led_to


async def _note_registers(batch: Batch, facts: Sequence[Fact]) -> None:
    routes = [fact for fact in facts if fact.type == "customer.identifier_routed"]
    if routes:
        await registers.put_routes(batch.connection, routes)
    for fact in sorted(facts, key=lambda fact: (fact.subject, fact.sequence)):
        match fact.type:
            case "customer.asset_changed":
                await assets.put_asset(batch.connection, fact)
            case "customer.unit_changed":
                await registers.put_unit(batch.connection, fact)


async def _meet(batch: Batch, facts: Sequence[Fact], places: Places, moves: Sequence[Mapping[str, str]]) -> None:
    """Reads the customers that facts are about; a profile that is heard of first is a customer of its own."""
    customers = {UUID(move[name]) for move in moves for name in ("profile_id", "customer_id")}
    profiles = customers | {place.profile_id for found in places.values() for place in found}
    profiles |= {fact.profile_id for fact in facts if fact.profile_id is not None}
    await batch.need(profiles, customers)
    batch.start(sorted(profiles))
    for profile_id in profiles:
        if batch.cache.profiles[profile_id].view is None:
            batch.dirty[batch.customer_of(profile_id)] |= {*SECTIONS}


def _follow(batch: Batch, moves: Sequence[Mapping[str, str]]) -> set[UUID]:
    """Moves profiles between customers; answers those that moved."""
    moved: set[UUID] = set()
    for move in sorted(moves, key=lambda move: (move["profile_id"], move["mapping_seq"])):
        profile_id, customer_id = UUID(move["profile_id"]), UUID(move["customer_id"])
        former = batch.move(profile_id, customer_id, int(move["mapping_seq"]))
        if former is not None:
            # a request for the profile's own id is redirected to its present customer
            for stale in (former, customer_id, profile_id):
                batch.dirty[stale] |= {*SECTIONS}
            moved.add(profile_id)
    return moved


def _fold(batch: Batch, fact: Fact, places: Sequence[Place], mended: frozenset[str]) -> None:
    for place in places:
        if place.section == interactions.NAME and fact.data["interaction_id"] in mended:
            continue
        batch.set(place, rejecting(fold, batch.state(place), fact, place))


async def _note_profiles(batch: Batch) -> set[UUID]:
    """Stores the lookups and relations of changed profiles. Returns the targets whose relations have changed."""
    profiles = {place.profile_id: state["profile"] for place, state in batch.changed(identity.NAME).items()}
    if not profiles:
        return set()
    held = {profile_id: identity.held_keys(profile) for profile_id, profile in profiles.items()}
    await registers.put_held_identifiers(batch.connection, held)
    stating = {
        profile_id: profile
        for profile_id, profile in profiles.items()
        if profile.get("relations") or _stated_relations(batch, profile_id)
    }
    return await related.note(batch.connection, stating) if stating else set()


def _stated_relations(batch: Batch, profile_id: UUID) -> bool:
    before = batch.before(Place(profile_id, identity.NAME, ""))
    return before is not None and bool(before["profile"].get("relations"))
