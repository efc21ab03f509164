"""The events on interactions of one transaction."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from rapport_interaction import store
from rapport_interaction.store import InteractionState, Known
from rapport_shared.clock import Clock, next_recorded
from rapport_shared.contracts.catalogue import EventType
from rapport_shared.contracts.codec import Event, new_event
from rapport_shared.contracts.interaction import InteractionRecorded
from rapport_shared.contracts.model import Contract
from rapport_shared.database import Connection
from rapport_shared.messaging import outbox


class Batch:
    """The recordings of one transaction: the locked rows, the changes to save, and the events in order."""

    def __init__(self, connection: Connection, clock: Clock) -> None:
        self.connection = connection
        self._now = clock()
        self._interactions: dict[UUID, InteractionState] = {}
        self._profiles: dict[UUID, UUID | None] = {}
        self._events: list[Event[Contract]] = []
        self._keys: list[UUID | None] = []
        self.touchpoints: dict[UUID, Known] = {}

    async def lock(self, interaction_ids: set[UUID]) -> None:
        """Locks the interactions that the batch will add to."""
        self._interactions.update(await store.lock_interactions(self.connection, interaction_ids))

    def add(
        self,
        event_type: EventType,
        event_id: UUID,
        interaction_id: UUID,
        profile_id: UUID | None,
        occurred_at: datetime | None,
        data: Contract,
        touchpoint_id: UUID,
        traceparent: str | None = None,
    ) -> None:
        """Adds the next event of an interaction; it names the touchpoint unless it is its first recording."""
        state = self._interactions.get(interaction_id, InteractionState(0, None))
        recorded_at = next_recorded(self._now, state.last_recorded_at)
        self._interactions[interaction_id] = InteractionState(state.last_sequence + 1, recorded_at)
        self._profiles[interaction_id] = profile_id
        event = new_event(
            event_type,
            interaction_id,
            data,
            sequence=state.last_sequence + 1,
            recorded_at=recorded_at,
            event_id=event_id,
            occurred_at=occurred_at,
            profile_id=profile_id,
            touchpoint_id=touchpoint_id if event_id != touchpoint_id else None,
            traceparent=traceparent,
        )
        self._events.append(event)
        self._keys.append(None if profile_id is not None else touchpoint_id)

    async def save(self) -> None:
        """Writes everything."""
        if self.touchpoints:
            await store.save_touchpoints(self.connection, list(self.touchpoints.values()))
        if self._interactions:
            await store.save_interactions(self.connection, self._interactions, self._profiles)
        await outbox.append(self.connection, await self._with_customers(), self._keys)

    async def _with_customers(self) -> list[Event[Contract]]:
        """The events; recordings say which customer their profile is part of now."""
        recorded = {e.envelope.profile_id for e in self._events if isinstance(e.data, InteractionRecorded)}
        profiles = {profile_id for profile_id in recorded if profile_id is not None}
        if not profiles:
            return self._events
        customers = await store.customers_of(self.connection, profiles)
        return [_with_customer(event, customers) for event in self._events]


def _with_customer(event: Event[Contract], customers: Mapping[UUID, UUID]) -> Event[Contract]:
    if not isinstance(event.data, InteractionRecorded):
        return event
    profile_id = event.envelope.profile_id
    customer_id = customers[profile_id] if profile_id is not None else None
    data = event.data.model_copy(update={"customer_id": customer_id})
    return Event(replace(event.envelope, customer_id=customer_id), event.type, data)
