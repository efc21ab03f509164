"""The results of commands on profiles."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from rapport_customer import store
from rapport_shared.database import Connection


@dataclass(frozen=True, slots=True)
class ProfileWritten:
    """A profile after a command: its customer, its revision, and the events that the command caused."""

    profile_id: UUID
    customer_id: UUID
    revision: int
    events: tuple[UUID, ...]


async def profile_written(connection: Connection, profile_id: UUID, events: Sequence[UUID]) -> ProfileWritten:
    """The result of a command that wrote to a locked profile."""
    locked = (await store.lock_profiles(connection, [profile_id]))[profile_id]
    membership = (await store.memberships(connection, [profile_id]))[profile_id]
    return ProfileWritten(profile_id, membership.customer_id, locked.sequence, tuple(events))
