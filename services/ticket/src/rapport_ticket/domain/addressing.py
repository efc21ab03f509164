"""Which profile a ticket belongs to when its caller names the customer by identifiers."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from rapport_shared.contracts.customer import RouteTarget
from rapport_shared.contracts.ids import source_profile_id
from rapport_shared.contracts.interaction import ATTRIBUTION_ORDER, IdentifierType
from rapport_shared.normalisation import identifier_key, normalise_identifier, system_and_record


class Unreadable(ValueError):
    """The value is not a readable identifier of its type."""


@dataclass(frozen=True, slots=True)
class Address:
    """An identifier's key. An external identifier is a source record, and names `source_profile` directly."""

    type: IdentifierType
    key: str
    source_profile: UUID | None = None


@dataclass(frozen=True, slots=True)
class Route:
    """The target of an identifier, as the customer service published it."""

    target: RouteTarget
    profile_id: UUID | None


def address(secret: bytes, type_: IdentifierType, value: str, region: str | None, system: str | None) -> Address:
    """Normalises an identifier as it was typed, and returns its address. Raises `Unreadable`."""
    form = normalise_identifier(type_, value, region, system)
    if not form.usable:
        raise Unreadable
    external = type_ is IdentifierType.EXTERNAL
    profile_id = source_profile_id(*system_and_record(form.normal)) if external else None
    return Address(type_, identifier_key(secret, type_, form.normal), profile_id)


def addressee(addresses: Sequence[Address], routes: Mapping[str, Route], known: Collection[UUID]) -> UUID | None:
    """Returns the profile of the first address that has one, in the order of attribution, or None.

    An address without a route leads to its source record's profile if that profile is `known`. A blocked address leads
    to no profile.
    """
    for named in sorted(addresses, key=lambda one: (ATTRIBUTION_ORDER.index(one.type), one.key)):
        route = routes.get(named.key, Route(RouteTarget.NOBODY, None))
        if route.target is RouteTarget.PROFILE and route.profile_id is not None:
            return route.profile_id
        if route.target is RouteTarget.NOBODY and named.source_profile in known:
            return named.source_profile
    return None
