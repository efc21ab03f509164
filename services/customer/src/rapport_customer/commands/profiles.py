"""Profiles: created by the first touchpoint, reported by sources, edited by hand. All three use the same path."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from rapport_customer import store
from rapport_customer.commands.candidates import suspect
from rapport_customer.commands.events import make_event, profile_map_message
from rapport_customer.commands.joins import join_unless_kept_apart
from rapport_customer.commands.links import records_named
from rapport_customer.commands.routes import put_route
from rapport_customer.domain.candidates import Cause, Suspicion
from rapport_customer.domain.evidence import agreements, proof
from rapport_customer.domain.policy import MatchingPolicy
from rapport_customer.domain.profiles import (
    FIELDS,
    changed_parts,
    provisional,
    with_identifier,
    with_routed,
    without_identifier,
)
from rapport_customer.domain.quality import assess
from rapport_customer.domain.relations import standing
from rapport_customer.domain.routing import Claim, Proof, Route, RoutedProfile, Verdict, judge
from rapport_customer.store import LockedProfile, LockedRoute
from rapport_shared.clock import Clock
from rapport_shared.contracts.catalogue import PROFILE_CHANGED
from rapport_shared.contracts.codec import Event
from rapport_shared.contracts.customer import (
    CandidateReason,
    HandOver,
    HeldIdentifier,
    ProfileChanged,
    ProfileMove,
    ProfileState,
    RouteTarget,
)
from rapport_shared.contracts.interaction import RecordedIdentifier
from rapport_shared.contracts.model import Contract
from rapport_shared.database import Connection
from rapport_shared.errors import IDENTIFIER_TAKEN, Problem
from rapport_shared.messaging import outbox

Change = Callable[[ProfileState], ProfileState]


class Unclaimable(Exception):
    """An identifier belongs to another registered customer. Raised for commands only."""

    def __init__(self, customer_id: UUID, position: int) -> None:
        super().__init__("identifier taken")
        self.customer_id, self.position = customer_id, position

    def problem(self, *, naming: bool) -> Problem:
        """The 409. It names the customer if the caller may see that customer."""
        detail = "The identifier belongs to another registered customer."
        if naming:
            return Problem(IDENTIFIER_TAKEN, detail, customer_id=str(self.customer_id))
        return Problem(IDENTIFIER_TAKEN, detail)


@dataclass(slots=True)
class Registration:
    """One change of a profile with the identifiers it claims, and everything locked for it."""

    connection: Connection
    clock: Clock
    claim: Claim
    policy: MatchingPolicy
    profile_id: UUID
    profiles: dict[UUID, LockedProfile]
    before: dict[UUID, ProfileState | None]
    routes: dict[str, LockedRoute]
    causation_id: UUID | None
    hand_over: HandOver | None = None
    events: list[Event[Contract]] = field(default_factory=list)

    @property
    def state(self) -> ProfileState:
        """The register of the profile that is being changed."""
        state = self.profiles[self.profile_id].state
        assert state is not None
        return state

    @state.setter
    def state(self, state: ProfileState) -> None:
        self.profiles[self.profile_id].state = state


async def register(
    connection: Connection,
    profile_id: UUID,
    claim: Claim,
    identifiers: Sequence[RecordedIdentifier],
    change: Change,
    policy: MatchingPolicy,
    clock: Clock,
    *,
    causation_id: UUID | None = None,
    hand_over: HandOver | None = None,
) -> list[UUID]:
    """Changes a profile, created if needed, and claims `identifiers` for it. Returns the events.

    May be repeated: nothing changes the second time. Locks routes, then profiles, then joins.
    Raises `Unclaimable` for a command whose identifier belongs to another registered customer.
    """
    routable = {identifier.key: identifier for identifier in identifiers if identifier.routable}
    routes = await store.lock_routes(connection, {key: identifier.type for key, identifier in routable.items()})
    others = {r.route.profile_id for r in routes.values() if r.route.profile_id not in (None, profile_id)}
    named = await records_named(connection, profile_id, routable.values(), routes) if claim != "touch" else {}
    others |= set(named.values())
    profiles = await store.lock_profiles(connection, {profile_id, *(other for other in others if other)})
    before = {locked.profile_id: locked.state for locked in profiles.values()}
    work = Registration(connection, clock, claim, policy, profile_id, profiles, before, routes, causation_id, hand_over)
    work.state = change(profiles[profile_id].state or provisional(profile_id, clock()))
    if before[profile_id] is None:
        await _begin(work)
    removed = await store.removed_identifiers(connection, profile_id) if claim == "touch" else set()
    if others:
        await store.lock_joins(connection)
    for key, record in named.items():
        await _route(work, routes[key], record)
    for position, identifier in enumerate(identifiers):
        if identifier.key in removed:
            continue
        if identifier.key in routable:
            await _claim(work, identifier, position)
        elif claim != "touch" or identifier.type.addressable:
            await _hold(work, identifier, routed=False)
    return await _save(work)


async def release(
    connection: Connection, profile_id: UUID, identifier_key: str, policy: MatchingPolicy, clock: Clock
) -> list[UUID] | None:
    """Removes an identifier from a profile by hand. Returns None if the profile does not hold the identifier.

    Touchpoints do not add the identifier again. They go to another profile of the customer that holds the
    identifier, else to nobody.
    """
    held = await store.identifier_type(connection, identifier_key)
    routes = await store.lock_routes(connection, {identifier_key: held}) if held else {}
    profiles = await store.lock_profiles(connection, [profile_id])
    state = profiles[profile_id].state
    if state is None or all(identifier.key != identifier_key for identifier in state.identifiers):
        return None
    work = Registration(connection, clock, "command", policy, profile_id, profiles, {profile_id: state}, routes, None)
    work.state = without_identifier(state, identifier_key)
    await store.save_held(connection, profile_id, identifier_key, removed=True)
    locked = routes.get(identifier_key)
    if locked is not None and locked.route.profile_id == profile_id:
        heir = await store.other_holder(connection, profile_id, identifier_key)
        await _route(work, locked, heir)
    return await _save(work)


async def _begin(work: Registration) -> None:
    await store.begin_membership(work.connection, work.profile_id)
    move = ProfileMove(profile_id=work.profile_id, mapping_seq=0, customer_id=work.profile_id)
    await outbox.queue(work.connection, [profile_map_message(move)])


async def _claim(work: Registration, identifier: RecordedIdentifier, position: int) -> None:
    locked = work.routes[identifier.key]
    if work.policy.blocks(identifier) and locked.route.target is not RouteTarget.BLOCKED:
        await _route(work, locked, None, RouteTarget.BLOCKED)
    verdict, routed = await _judge(work, locked.route, identifier)
    if verdict.refused:
        assert routed is not None
        raise Unclaimable(routed.customer_id, position)
    if verdict.join is not None:
        from_customer, into_profile = verdict.join
        merged = await join_unless_kept_apart(
            work.connection, from_customer, into_profile, "identifier", work.clock, causation_id=work.causation_id
        )
        work.events += [merged] if merged else []
    if verdict.suspected:
        assert routed is not None
        await _suspect(work, routed.profile_id, identifier)
    if verdict.takes_route:
        await _route(work, locked, work.profile_id)
    if verdict.holds:
        await _hold(work, identifier, routed=locked.route.profile_id == work.profile_id)


async def _judge(
    work: Registration, route: Route, identifier: RecordedIdentifier
) -> tuple[Verdict, RoutedProfile | None]:
    ids = [work.profile_id, *([route.profile_id] if route.profile_id else [])]
    routed_profiles = await store.routed_profiles(work.connection, ids)
    claimant = routed_profiles[work.profile_id]
    if work.state.registered and not claimant.registered:
        claimant = RoutedProfile(claimant.profile_id, claimant.customer_id, True)
    routed = routed_profiles[route.profile_id] if route.profile_id else None
    proved = Proof.NONE
    if routed is not None and claimant.registered and routed.registered:
        proved = await _proof(work, routed, identifier)
    return judge(work.claim, claimant, route, routed, proved), routed


async def _proof(work: Registration, routed: RoutedProfile, identifier: RecordedIdentifier) -> Proof:
    holder = work.profiles[routed.profile_id].state
    if holder is None:
        return Proof.NONE
    held = any(one.key == identifier.key and one.verified for one in holder.identifiers)
    rule = work.policy.rule(identifier.type)
    proved = proof(rule, identifier.verified, held, *agreements(work.state, holder))
    if proved is Proof.SAME and await _has_too_many(work, routed, identifier):
        return Proof.NONE
    return proved


async def _has_too_many(work: Registration, routed: RoutedProfile, identifier: RecordedIdentifier) -> bool:
    ids = [work.profile_id, routed.profile_id]
    count = await store.count_identifiers(work.connection, ids, identifier.type, identifier.key)
    return count > work.policy.rule(identifier.type).limit


async def _suspect(work: Registration, other: UUID, identifier: RecordedIdentifier) -> None:
    reason = CandidateReason(field=identifier.type, level="verified" if identifier.verified else "stated")
    cause: Cause = "touch" if work.claim == "touch" else "identifier"
    suspicion = Suspicion(work.profile_id, other, cause, reasons=(reason,))
    work.events += await suspect(work.connection, suspicion, work.clock, causation_id=work.causation_id)


async def _route(
    work: Registration, locked: LockedRoute, profile_id: UUID | None, target: RouteTarget = RouteTarget.NOBODY
) -> None:
    earlier = locked.route.profile_id
    if earlier is not None and earlier != work.profile_id and earlier in work.profiles:
        holder = work.profiles[earlier]
        if holder.state is not None:
            holder.state = with_routed(holder.state, locked.identifier_key, routed=False)
    if profile_id is not None and profile_id != work.profile_id:
        await _lock_heir(work, profile_id, locked.identifier_key)
    target = RouteTarget.PROFILE if profile_id is not None else target
    event = await put_route(work.connection, locked, target, profile_id, work.clock, causation_id=work.causation_id)
    work.events.append(event)


async def _lock_heir(work: Registration, profile_id: UUID, identifier_key: str) -> None:
    heir = (await store.lock_profiles(work.connection, [profile_id]))[profile_id]
    work.before[profile_id] = heir.state
    if heir.state is not None:
        heir.state = with_routed(heir.state, identifier_key, routed=True)
    work.profiles[profile_id] = heir


async def _hold(work: Registration, identifier: RecordedIdentifier, *, routed: bool) -> None:
    held = HeldIdentifier(
        type=identifier.type,
        key=identifier.key,
        raw=identifier.raw,
        normal=identifier.normal,
        norm_version=identifier.norm_version,
        verified=identifier.verified,
        system=identifier.system,
        routed=routed,
        held_since=work.clock(),
    )
    work.state = with_identifier(work.state, held)
    await store.save_held(work.connection, work.profile_id, identifier.key, removed=False)


async def _save(work: Registration) -> list[UUID]:
    for profile_id in sorted(work.profiles):
        event = await _save_profile(work, work.profiles[profile_id])
        if event is not None:
            work.events.append(event)
    await outbox.append(work.connection, work.events)
    return [event.envelope.id for event in work.events]


async def _save_profile(work: Registration, locked: LockedProfile) -> Event[Contract] | None:
    state, before = locked.state, work.before[locked.profile_id]
    if state is None or state == before:
        return None
    if state.registered and state.registered_at is None:
        state = locked.state = state.model_copy(update={"registered_at": work.clock()})
    changed = changed_parts(before, state) if before is not None else ("created",)
    membership = (await store.memberships(work.connection, [locked.profile_id]))[locked.profile_id]
    event = make_event(
        PROFILE_CHANGED,
        locked.profile_id,
        ProfileChanged(profile=state, changed=changed, hand_over=work.hand_over if "owner" in changed else None),
        locked.sequence + 1,
        work.clock(),
        locked.last_recorded_at,
        profile_id=locked.profile_id,
        customer_id=membership.customer_id,
        causation_id=work.causation_id,
    )
    locked.sequence += 1
    locked.last_recorded_at = event.envelope.recorded_at
    await store.save_profile(work.connection, locked)
    if not _RELATED_BY.isdisjoint(changed):
        await store.save_relations(work.connection, locked.profile_id, standing(state))
    assessed = bool(state.sources) or bool(before and before.sources)
    if assessed and not _ASSESSED_BY.isdisjoint((*changed, *(("sources",) if before is None else ()))):
        first = not (before and before.sources)
        await store.save_quality(work.connection, locked.profile_id, assess(state), first=first)
    if state.registered and not _MATCHED_BY.isdisjoint(changed):
        await store.queue_match(work.connection, [locked.profile_id])
    return event


_ASSESSED_BY = frozenset({"sources", "identifiers", "unit", *FIELDS})
"""The parts of a register that decide the quality of its sources."""
_RELATED_BY = frozenset({"created", "relations", "ended_relations"})
"""The parts of a register that decide the relations of the profile."""
_MATCHED_BY = frozenset({"created", "registered", "identifiers", "kind", "name", "birth_date", "addresses"})
"""The parts of a register that matching depends on."""
