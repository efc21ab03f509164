"""What the interaction service reads: the intake, and the registers of the customer service."""

import re
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, Final
from uuid import UUID

from rapport_interaction import store
from rapport_interaction.commands.evidence import follow_evidence
from rapport_interaction.commands.intake import take_in
from rapport_interaction.commands.mending import attribute_anew, by_asset, follow_holders
from rapport_interaction.domain.arrivals import Arrival, Unreadable, read_arrival
from rapport_interaction.domain.attribution import Route
from rapport_interaction.domain.conversations import holders_by_key
from rapport_interaction.domain.readings import Normaliser
from rapport_shared.clock import Clock
from rapport_shared.contracts.catalogue import (
    ASSET_CHANGED,
    CUSTOMER_EVENTS,
    CUSTOMER_MERGED,
    CUSTOMER_UNMERGED,
    IDENTIFIER_ROUTED,
    INTAKE,
    INTERACTION_EVENTS,
    INTERACTION_RECORDED,
    INTERACTION_RETRACTED,
    PROFILE_CHANGED,
    UNIT_CHANGED,
)
from rapport_shared.contracts.codec import Event
from rapport_shared.contracts.customer import (
    AssetChanged,
    CustomerMerged,
    CustomerUnmerged,
    IdentifierRouted,
    UnitChanged,
)
from rapport_shared.contracts.envelope import decode_envelope
from rapport_shared.contracts.touchpoints import DOCUMENT_KINDS
from rapport_shared.database import Connection
from rapport_shared.messaging.consumer import Subscription
from rapport_shared.messaging.outbox import OutboxSignal
from rapport_shared.messaging.records import Record, read_event
from rapport_shared.normalisation import WEB_IDENTIFIED

Handler = Callable[[Connection, Event[Any]], Awaitable[None]]


def intake(normaliser: Normaliser, clock: Clock, signal: OutboxSignal) -> Subscription[Arrival | Unreadable]:
    """The reaction that turns intake into recorded interactions. Quarantine is a normal outcome: it has no limit."""
    return Subscription(
        consumer="intake",
        topics=(INTAKE,),
        decode=partial(read_arrival, normaliser.secret),
        apply=partial(_take_in, normaliser, clock),
        committed=signal.committed,
        limited=False,
        urgent=True,
    )


def registers(clock: Clock, signal: OutboxSignal) -> Subscription[Event[Any]]:
    """The registers that the customer service owns and attribution needs: routes, assets, units."""
    handlers: dict[str, Handler] = {
        IDENTIFIER_ROUTED.wire: _route,
        ASSET_CHANGED.wire: partial(_asset, clock),
        UNIT_CHANGED.wire: _unit,
    }
    return Subscription(
        consumer="registers",
        topics=(CUSTOMER_EVENTS,),
        decode=read_event,
        apply=partial(_apply, handlers),
        committed=signal.committed,
        types=frozenset(handlers),
    )


def profiles() -> Subscription[UUID]:
    """The known profiles, so that no touchpoint is attributed to an unknown profile.

    A separate consumer: it must read from the beginning, and the cursor of `registers` was already further.
    """
    return Subscription(
        consumer="profiles",
        topics=(CUSTOMER_EVENTS,),
        decode=_profile,
        apply=store.put_profiles,
        types=frozenset({PROFILE_CHANGED.wire}),
    )


def memberships() -> Subscription[CustomerMerged | CustomerUnmerged]:
    """Which customer each profile is part of, so that recordings can say it.

    A consumer of its own, for it must have read from the beginning.
    """
    return Subscription(
        consumer="memberships",
        topics=(CUSTOMER_EVENTS,),
        decode=_moves,
        apply=_move,
        types=frozenset({CUSTOMER_MERGED.wire, CUSTOMER_UNMERGED.wire}),
    )


def evidence(secret: bytes, clock: Clock, signal: OutboxSignal) -> Subscription[UUID]:
    """The reaction by which touchpoints that name nobody follow what documents and devices say of them.

    It reads the service's own events from the beginning, so that what was recorded by a former release counts, too.
    """
    return Subscription(
        consumer="evidence",
        topics=(INTERACTION_EVENTS,),
        decode=_touchpoint_with_evidence,
        apply=partial(_follow, secret, clock),
        committed=signal.committed,
        types=frozenset({INTERACTION_RECORDED.wire, INTERACTION_RETRACTED.wire}),
        concerns=_states_evidence,
    )


_EVIDENCE: Final = re.compile(
    b'"type":"device"|"kind":"(?:%s)"' % "|".join(map(re.escape, sorted({*DOCUMENT_KINDS, WEB_IDENTIFIED}))).encode()
)


def _states_evidence(record: Record) -> bool:
    """Most recordings have nothing to do with documents and devices; a retraction does not say what it retracts."""
    return record.headers.get("ce_type") != INTERACTION_RECORDED.wire or bool(_EVIDENCE.search(record.value or b""))


def _touchpoint_with_evidence(record: Record) -> UUID | None:
    event = read_event(record)
    return None if event is None else event.data.touchpoint_id


async def _follow(secret: bytes, clock: Clock, connection: Connection, touchpoint_ids: Sequence[UUID]) -> None:
    await follow_evidence(connection, secret, set(touchpoint_ids), clock)


def _moves(record: Record) -> CustomerMerged | CustomerUnmerged | None:
    event = read_event(record)
    return event.data if event is not None else None


async def _move(connection: Connection, merges: Sequence[CustomerMerged | CustomerUnmerged]) -> None:
    await store.move_profiles(connection, [move for merge in merges for move in merge.moves])


def _profile(record: Record) -> UUID | None:
    return None if record.value is None else decode_envelope(record.headers).profile_id


async def _take_in(
    normaliser: Normaliser, clock: Clock, connection: Connection, items: Sequence[Arrival | Unreadable]
) -> None:
    await take_in(connection, items, normaliser, clock)


async def _apply(handlers: dict[str, Handler], connection: Connection, events: Sequence[Event[Any]]) -> None:
    for event in sorted(events, key=lambda event: (event.type.wire, event.envelope.subject, event.envelope.sequence)):
        await handlers[event.type.wire](connection, event)


async def _route(connection: Connection, event: Event[IdentifierRouted]) -> None:
    routed = event.data
    await store.put_route(connection, Route(routed.identifier_key, routed.target, routed.profile_id, routed.route_seq))


async def _asset(clock: Clock, connection: Connection, event: Event[AssetChanged]) -> None:
    asset = event.data.asset
    held = holders_by_key(asset)
    await store.own_attribution(connection)
    if await store.put_asset(connection, asset.asset_id, event.envelope.sequence, held):
        holders = await store.asset_holders(connection, held)
        await follow_holders(connection, list(held), holders, clock)
        await attribute_anew(connection, list(held), by_asset(holders), clock)


async def _unit(connection: Connection, event: Event[UnitChanged]) -> None:
    unit = event.data.unit
    await store.put_unit(connection, unit.path, unit.phone_region, event.envelope.sequence)
