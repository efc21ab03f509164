"""Links between systems: an external identifier names the record of another system, and that record is a profile."""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from rapport_customer import store
from rapport_customer.store import LockedRoute
from rapport_shared.contracts.customer import RouteTarget
from rapport_shared.contracts.ids import source_profile_id
from rapport_shared.contracts.interaction import IdentifierType, RecordedIdentifier
from rapport_shared.database import Connection
from rapport_shared.normalisation import identifier_key, normalise_identifier, system_and_record


async def records_named(
    connection: Connection,
    profile_id: UUID,
    identifiers: Iterable[RecordedIdentifier],
    routes: Mapping[str, LockedRoute],
) -> dict[str, UUID]:
    """The known profiles that external identifiers name, by key; only identifiers without a route yet."""
    named = {
        identifier.key: source_profile_id(*system_and_record(identifier.normal))
        for identifier in identifiers
        if identifier.type is IdentifierType.EXTERNAL
        and isinstance(identifier.normal, str)
        and routes[identifier.key].route.target is RouteTarget.NOBODY
    }
    if not named:
        return {}
    known = await store.known_profiles(connection, set(named.values()) - {profile_id})
    return {key: owner for key, owner in named.items() if owner in known}


def own_record(secret: bytes, system: str, record: str) -> RecordedIdentifier:
    """The identifier by which others name a source record."""
    form = normalise_identifier("external", record, system=system)
    return RecordedIdentifier(
        type=IdentifierType.EXTERNAL,
        key=identifier_key(secret, "external", form.normal),
        raw=form.raw,
        normal=form.normal,
        norm_version=form.norm_version,
        system=system,
        routable=form.usable,
    )


async def named_by_others(connection: Connection, records: Sequence[RecordedIdentifier]) -> set[str]:
    """The keys of those `records` whose identifier has a route to a profile."""
    return await store.routed_keys(connection, [record.key for record in records])
