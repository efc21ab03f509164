"""The projector: the one writer of a run of the view. One poll, one batch, one transaction."""

import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from rapport_gateway.projection import related, store
from rapport_gateway.projection.rendering import ALL, SHOWING, Dirty, render_customers, render_stale
from rapport_gateway.projection.runs import Run, touch_caught_up
from rapport_gateway.projection.upgrade import upgrade
from rapport_gateway.view import identity
from rapport_gateway.view.facts import Fact, State, read_fact
from rapport_gateway.view.sections import RETRACTABLE, Place, fold, fold_all, places_of
from rapport_shared.clock import Clock
from rapport_shared.contracts.catalogue import EVENT_TOPICS
from rapport_shared.database import Connection, Database
from rapport_shared.messaging.consumer import Subscription
from rapport_shared.messaging.outcomes import decide

_CAUGHT_UP_SECONDS = 0.5
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(slots=True)
class Projector:
    """Folds facts into one run. `announce` is awaited after each commit that changed something."""

    run: Run
    database: Database
    clock: Clock
    announce: Callable[[], Awaitable[None]]
    _last_caught_up: float = field(default=0.0)
    _upgraded: bool = field(default=False)

    def subscription(self) -> Subscription[Fact]:
        """What the run's consumer reads and does."""
        return Subscription(
            consumer=self.run.consumer,
            topics=EVENT_TOPICS,
            decode=read_fact,
            apply=self.apply,
            committed=self.announce,
            caught_up=self._caught_up,
        )

    async def apply(self, connection: Connection, batch: Sequence[Fact]) -> None:
        """Folds a batch of facts in the caller's transaction; known facts change nothing."""
        await self._take_over(connection)
        await _project(self.run.run, self.clock, connection, batch)

    async def _take_over(self, connection: Connection) -> None:
        """Upgrades a run of an earlier release before the first write; repeats until that is committed."""
        if not self._upgraded and not await upgrade(connection, self.run.run):
            self._upgraded = True

    async def _caught_up(self) -> None:
        async with self.database.transaction() as connection:
            await self._take_over(connection)
            changed = await render_stale(connection, self.run.run, _LONG_AGO, self.clock)
        if changed:
            await self.announce()
        if time.monotonic() - self._last_caught_up >= _CAUGHT_UP_SECONDS:
            self._last_caught_up = time.monotonic()
            await touch_caught_up(self.database, self.run.run, self.clock())


async def _project(run: int, clock: Clock, connection: Connection, batch: Sequence[Fact]) -> None:
    facts = list({fact.event_id: fact for fact in batch}.values())
    new = await store.insert_facts(connection, facts)
    facts = [fact for fact in facts if fact.event_id in new]
    if not facts:
        return
    dirty: Dirty = defaultdict(set)
    ended = await _note_retractions(connection, facts)
    await _note_registers(connection, facts)
    places = {fact.event_id: decide(lambda f: list(places_of(f)), fact) for fact in facts}
    moved = await _follow_moves(connection, facts, places, dirty)
    standing = [fact for fact in facts if fact.event_id not in ended]
    targets = await _fold(connection, standing, places, dirty)
    await _refold(connection, facts, dirty)
    as_of = max(fact.recorded_at for fact in facts)
    renamed = await render_customers(connection, run, dirty, as_of, clock)
    if moved or targets or renamed:
        await related.mark_stale(connection, targets, moved | renamed, dirty)
    await render_stale(connection, run, as_of, clock)


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
                await store.put_asset(connection, fact)
            case "customer.unit_changed":
                await store.put_unit(connection, fact)


async def _follow_moves(
    connection: Connection, facts: Sequence[Fact], places: dict[UUID, list[Place]], dirty: Dirty
) -> set[UUID]:
    """Moves profiles between customers; answers those that moved."""
    moves = [move for fact in facts if fact.type in _MERGES for move in fact.data["moves"]]
    profiles = {place.profile_id for found in places.values() for place in found}
    profiles |= {fact.profile_id for fact in facts if fact.profile_id is not None}
    profiles |= {UUID(move[name]) for move in moves for name in ("profile_id", "customer_id")}
    if profiles:
        await store.begin_memberships(connection, profiles)
    moved: set[UUID] = set()
    for move in sorted(moves, key=lambda move: (move["profile_id"], move["mapping_seq"])):
        profile_id, customer_id = UUID(move["profile_id"]), UUID(move["customer_id"])
        former = await store.move_profile(connection, profile_id, customer_id, move["mapping_seq"])
        if former is not None:
            # whoever asks for the profile's own id is led to the customer that it belongs to now
            for stale in (former, customer_id, profile_id):
                dirty[stale] |= ALL
            moved.add(profile_id)
    return moved


_MERGES = frozenset({"customer.merged", "customer.unmerged"})


async def _fold(
    connection: Connection, facts: Sequence[Fact], places: dict[UUID, list[Place]], dirty: Dirty
) -> set[UUID]:
    """Folds facts into partials; answers the profiles to which another's relations have changed."""
    touched = {place for fact in facts for place in places[fact.event_id]}
    profiles = {place.profile_id for place in touched} | {fact.profile_id for fact in facts if fact.profile_id}
    customers = await store.lock_customers(connection, profiles) if profiles else {}
    for fact in facts:
        if fact.profile_id is not None and fact.type != "score.updated":
            dirty[customers[fact.profile_id]] |= {"identity"}
    if not touched:
        return set()
    partials = await store.load_partials(connection, touched)
    changed: dict[Place, State] = {}
    for fact in facts:
        for place in places[fact.event_id]:
            state = decide(fold, changed.get(place) or partials.get(place), fact, place)
            if state is not None:
                changed[place] = state
                dirty[customers[place.profile_id]] |= SHOWING[place.section]
    await store.save_partials(connection, changed)
    await _note_identifiers(connection, changed)
    registers = {place.profile_id: state["profile"] for place, state in changed.items() if place.section == "identity"}
    return await related.note(connection, registers) if registers else set()


async def _note_identifiers(connection: Connection, changed: dict[Place, State]) -> None:
    held = {
        place.profile_id: identity.held_keys(state["profile"])
        for place, state in changed.items()
        if place.section == "identity"
    }
    if held:
        await store.put_held_identifiers(connection, held)


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
        await store.forget_partials(connection, profile_id, RETRACTABLE)
        recordings = await store.standing_recordings(connection, profile_id)
        partials = fold_all(recordings, await _mended_interactions(connection, recordings))
        if partials:
            await store.save_partials(connection, partials)
        dirty[customers[profile_id]] |= {*RETRACTABLE}


async def _mended_interactions(connection: Connection, recordings: Sequence[Fact]) -> set[str]:
    named = {UUID(fact.data["interaction_id"]) for fact in recordings}
    return {str(found) for found in await store.mended_interactions(connection, named)} if named else set()
