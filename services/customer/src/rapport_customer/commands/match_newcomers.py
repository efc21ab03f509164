"""The matcher: compares a batch of new profiles with the most similar ones, and joins them or raises candidates."""

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from rapport_customer import store
from rapport_customer.commands.candidates import suspect, withdraw
from rapport_customer.commands.joins import join_unless_kept_apart
from rapport_customer.commands.policies import MATCHING, MATCHING_PLACE
from rapport_customer.domain.match_decisions import Customers, decide, worth_comparing
from rapport_customer.domain.matching import Features, Weights, blocking_keys, compare, features_of, trigram_text
from rapport_customer.store import MatchRow
from rapport_shared.clock import Clock
from rapport_shared.contracts.codec import Event
from rapport_shared.contracts.customer import CandidateState, ProfileState
from rapport_shared.contracts.model import Contract
from rapport_shared.database import Connection
from rapport_shared.messaging import outbox
from rapport_shared.policies import active_document
from rapport_shared.telemetry import describe_error

_log = logging.getLogger("rapport.matching")

BATCH: Final = 200


@dataclass(slots=True)
class Newcomers:
    """A batch in progress: features of each profile, profiles found by its blocks, and the events so far."""

    connection: Connection
    clock: Clock
    weights: Weights
    features: dict[UUID, Features]
    found: Mapping[UUID, set[UUID]]
    known: dict[UUID, Features]
    suspected: Mapping[UUID, Sequence[CandidateState]]
    events: list[Event[Contract]] = field(default_factory=list)


async def match_batch(connection: Connection, clock: Clock, size: int = BATCH) -> int:
    """Matches the profiles that waited longest, in order of arrival. Returns their number.

    There is one matcher per database: a new profile is compared with all earlier ones, also those of its own batch,
    so that two similar new profiles cannot miss each other. May be repeated.
    """
    waiting = await store.waiting_to_match(connection, size)
    if not waiting:
        return 0
    policy = await active_document(connection, MATCHING, MATCHING_PLACE)
    features = {profile_id: made for profile_id, _, state in waiting if (made := _features(state)) is not None}
    await store.save_match_rows(connection, [_row(profile_id, made) for profile_id, made in features.items()])
    found = await _found(connection, features)
    known = await _known(connection, {other for others in found.values() for other in others})
    suspected = await store.open_candidates_of(connection, features)
    batch = Newcomers(connection, clock, policy.weights, features, found, known | features, suspected)
    await _match_each(batch)
    await outbox.append(connection, batch.events)
    await store.dequeue(connection, {profile_id: place for profile_id, place, _ in waiting})
    return len(waiting)


async def _match_each(batch: Newcomers) -> None:
    await store.be_strict_on_similarity(batch.connection)
    later = set(batch.features)
    for newcomer, features in batch.features.items():
        later.discard(newcomer)
        if trigram_text(features):
            others = batch.found[newcomer] - later - {newcomer}
            if features.name and not _any_likely(batch, features, others):
                others |= await _similar(batch, features, later)
            await _match(batch, newcomer, features, others - {newcomer})


def _any_likely(batch: Newcomers, features: Features, others: Collection[UUID]) -> bool:
    return any(compare(batch.weights, features, batch.known[other]).outcome != "none" for other in others)


async def _similar(batch: Newcomers, features: Features, later: Collection[UUID]) -> set[UUID]:
    similar = set(await store.similar_profiles(batch.connection, trigram_text(features))) - set(later)
    batch.known |= await _known(batch.connection, similar - set(batch.known))
    return similar & set(batch.known)


async def _match(batch: Newcomers, newcomer: UUID, features: Features, others: set[UUID]) -> None:
    likely = {other for other in others if compare(batch.weights, features, batch.known[other]).outcome != "none"}
    if not likely and newcomer not in batch.suspected:
        return
    await store.lock_joins(batch.connection)
    memberships = await store.memberships(batch.connection, {newcomer, *likely})
    own = memberships[newcomer].customer_id
    customers = {memberships[other].customer_id for other in likely} - {own}
    profiles = await _profiles(batch.connection, customers | {own})
    alone = set(profiles.get(own, ())) <= {newcomer}
    others_only = {customer: found for customer, found in profiles.items() if customer != own}
    decision = decide(batch.weights, newcomer, features, others_only, alone=alone)
    if decision.join is not None:
        merged = await join_unless_kept_apart(batch.connection, own, decision.join, "matching", batch.clock)
        batch.events += [merged] if merged else []
    for suspicion in decision.suspicions:
        batch.events += await suspect(batch.connection, suspicion, batch.clock)
    await _withdraw_outlived(batch, newcomer, features)


async def _withdraw_outlived(batch: Newcomers, newcomer: UUID, features: Features) -> None:
    for candidate in batch.suspected.get(newcomer, ()):
        other = candidate.other if candidate.one == newcomer else candidate.one
        batch.known |= await _known(batch.connection, {other} - set(batch.known))
        unlikely = other in batch.known and compare(batch.weights, features, batch.known[other]).outcome == "none"
        if candidate.cause == "matching" and unlikely:
            batch.events += await withdraw(batch.connection, candidate.candidate_id, batch.clock)


async def _profiles(connection: Connection, customers: Collection[UUID]) -> Customers:
    stored = await store.features_of_customers(connection, customers)
    return {
        customer_id: {profile_id: Features.from_json(text) for profile_id, text in profiles.items()}
        for customer_id, profiles in stored.items()
    }


def _features(state: ProfileState) -> Features | None:
    try:
        return features_of(state)
    except Exception as error:  # a record that cannot be compared must not block all others
        kind, places = describe_error(error)
        _log.error("a profile cannot be compared", extra={"error": kind, "place": places})
        return None


def _row(profile_id: UUID, features: Features) -> MatchRow:
    keys = sorted(blocking_keys(features))
    trigrams = trigram_text(features) if features.name else ""  # persons are found by their blocks
    return MatchRow(profile_id, features.version, features.to_json(), trigrams, keys)


async def _found(connection: Connection, features: Mapping[UUID, Features]) -> dict[UUID, set[UUID]]:
    keys = {profile_id: blocking_keys(made) for profile_id, made in features.items()}
    blocks = await store.profiles_in_blocks(connection, {key for some in keys.values() for key in some})
    return {
        profile_id: worth_comparing(blocks[key] for key in some if key in blocks) for profile_id, some in keys.items()
    }


async def _known(connection: Connection, ids: Collection[UUID]) -> dict[UUID, Features]:
    stored = await store.features_of_profiles(connection, ids) if ids else {}
    return {profile_id: Features.from_json(text) for profile_id, text in stored.items()}
