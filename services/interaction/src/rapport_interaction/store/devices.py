"""The users of devices over time, and the touchpoints whose only evidence is a device."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from rapport_shared.database import Connection

_EVIDENCE_LOCK = 0x65766964


async def own_evidence(connection: Connection) -> None:
    """Waits until nobody else follows documents and devices, and keeps it so until the end of the transaction."""
    await connection.execute("SELECT pg_advisory_xact_lock($1)", _EVIDENCE_LOCK)


@dataclass(frozen=True, slots=True)
class Use:
    """A profile signed in at a device."""

    device_key: str
    touchpoint_id: UUID
    from_at: datetime
    profile_id: UUID


@dataclass(frozen=True, slots=True)
class DeviceTouch:
    """A touchpoint that only its device says something of."""

    device_key: str
    occurred_at: datetime
    touchpoint_id: UUID


async def users_at(connection: Connection, moments: Collection[tuple[str, datetime]]) -> list[Use]:
    """The profile that had signed in last, for each device and instant."""
    if not moments:
        return []
    rows = await connection.fetch(_USERS_AT, [key for key, _ in moments], [at for _, at in moments])
    return [Use(**dict(row)) for row in rows]


_USERS_AT = """
SELECT DISTINCT used.* FROM unnest($1::text[], $2::timestamptz[]) AS moment (device_key, at)
JOIN LATERAL (
    SELECT * FROM device_use WHERE device_use.device_key = moment.device_key AND from_at <= moment.at
    ORDER BY from_at DESC, touchpoint_id DESC LIMIT 1
) used ON true
"""


async def save_uses(connection: Connection, uses: Sequence[Use]) -> None:
    """Keeps who signed in; of one touchpoint the present profile replaces the former."""
    await connection.executemany(
        "INSERT INTO device_use (device_key, touchpoint_id, from_at, profile_id) VALUES ($1, $2, $3, $4) "
        "ON CONFLICT (device_key, touchpoint_id) DO UPDATE SET profile_id = excluded.profile_id "
        "WHERE device_use.profile_id <> excluded.profile_id",
        [
            (one.device_key, one.touchpoint_id, one.from_at, one.profile_id)
            for one in sorted(uses, key=lambda one: (one.device_key, one.touchpoint_id))
        ],
    )


async def forget_uses(connection: Connection, places: Sequence[tuple[str, UUID]]) -> None:
    """Forgets those who signed in by touchpoints that no longer count."""
    await connection.executemany("DELETE FROM device_use WHERE device_key = $1 AND touchpoint_id = $2", list(places))


async def save_device_touches(connection: Connection, touches: Sequence[DeviceTouch]) -> None:
    """Stores touchpoints whose only evidence is a device."""
    await connection.executemany(
        "INSERT INTO device_touchpoint (device_key, occurred_at, touchpoint_id) VALUES ($1, $2, $3) "
        "ON CONFLICT DO NOTHING",
        [(one.device_key, one.occurred_at, one.touchpoint_id) for one in touches],
    )


async def forget_device_touches(connection: Connection, touches: Sequence[DeviceTouch]) -> None:
    """Removes touchpoints that have other evidence now."""
    await connection.executemany(
        "DELETE FROM device_touchpoint WHERE device_key = $1 AND occurred_at = $2 AND touchpoint_id = $3",
        [(one.device_key, one.occurred_at, one.touchpoint_id) for one in touches],
    )


async def misplaced_device_touches(connection: Connection, key: str, from_at: datetime) -> dict[UUID, UUID | None]:
    """The touchpoints by a device, from an instant until its next user, that are not at its user's profile.

    Returns each with the profile that used the device then; None without a known user.
    """
    rows = await connection.fetch(_MISPLACED, key, from_at)
    return {row["touchpoint_id"]: row["user_id"] for row in rows}


_MISPLACED = """
SELECT touch.touchpoint_id, used.profile_id AS user_id
FROM device_touchpoint touch
JOIN touchpoint recorded USING (touchpoint_id)
LEFT JOIN LATERAL (
    SELECT profile_id FROM device_use WHERE device_key = $1 AND from_at <= touch.occurred_at
    ORDER BY from_at DESC, touchpoint_id DESC LIMIT 1
) used ON true
WHERE touch.device_key = $1 AND touch.occurred_at >= $2
AND touch.occurred_at < coalesce((SELECT min(from_at) FROM device_use WHERE device_key = $1 AND from_at > $2),
                                 'infinity')
AND NOT recorded.retracted AND recorded.profile_id IS DISTINCT FROM used.profile_id
"""
