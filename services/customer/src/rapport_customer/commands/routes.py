"""Routes: the only function that changes where touchpoints with an identifier go."""

from uuid import UUID

from rapport_customer import store
from rapport_customer.commands.events import make_event
from rapport_customer.domain.routing import Route
from rapport_customer.store import LockedRoute
from rapport_shared.clock import Clock, next_recorded
from rapport_shared.contracts.catalogue import IDENTIFIER_ROUTED
from rapport_shared.contracts.codec import Event
from rapport_shared.contracts.customer import IdentifierRouted, RouteTarget
from rapport_shared.contracts.model import Contract
from rapport_shared.database import Connection


async def put_route(
    connection: Connection,
    locked: LockedRoute,
    target: RouteTarget,
    profile_id: UUID | None,
    clock: Clock,
    *,
    causation_id: UUID | None = None,
) -> Event[Contract]:
    """Changes a locked route. Returns the event, which the caller appends."""
    locked.route = Route(target, profile_id, locked.route.route_seq + 1)
    recorded_at = next_recorded(clock(), locked.last_recorded_at)
    data = IdentifierRouted(
        identifier_key=locked.identifier_key,
        identifier_type=locked.identifier_type,
        target=target,
        profile_id=profile_id,
        route_seq=locked.route.route_seq,
        valid_from=recorded_at,
    )
    event = make_event(
        IDENTIFIER_ROUTED,
        locked.identifier_key,
        data,
        locked.route.route_seq,
        clock(),
        locked.last_recorded_at,
        causation_id=causation_id,
    )
    locked.last_recorded_at = event.envelope.recorded_at
    await store.save_route(connection, locked, recorded_at)
    return event
