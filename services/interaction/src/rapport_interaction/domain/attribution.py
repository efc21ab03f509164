"""Attribution finds the profile of a touchpoint. The order: source record, routed identifier, mint, conversation,
asset, else anonymous.

A first touch waits for no other service. If no identifier is routed, attribution mints a profile id that every
service would mint alike, and keeps it as a guess. The next `route_seq` of the owner overrides the guess.
"""

from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from rapport_interaction.domain.documents import Owner
from rapport_shared.contracts.customer import RouteTarget
from rapport_shared.contracts.ids import first_touch_profile_id, source_profile_id
from rapport_shared.contracts.interaction import ATTRIBUTION_ORDER, Attribution, IdentifierType, RecordedIdentifier
from rapport_shared.normalisation import system_and_record

MAX_ENTRIES: Final = 1000
"""How many touchpoints one command attributes at most."""


@dataclass(frozen=True, slots=True)
class Route:
    """The known route of an identifier. A `guess` holds until the owner's next `route_seq`."""

    identifier_key: str
    target: RouteTarget = RouteTarget.NOBODY
    profile_id: UUID | None = None
    route_seq: int = 0
    guess: UUID | None = None

    @property
    def leads_to(self) -> UUID | None:
        """The profile that touches go to, or None."""
        match self.target:
            case RouteTarget.PROFILE:
                return self.profile_id
            case RouteTarget.NOBODY:
                return self.guess
            case RouteTarget.BLOCKED:
                return None


@dataclass(frozen=True, slots=True)
class Touch:
    """What attribution looks at. `device_user` is the key of a device and who used it then."""

    source_record: tuple[str, str] | None
    identifiers: Sequence[RecordedIdentifier]
    conversation_profile: UUID | None = None
    device_user: tuple[str, UUID] | None = None
    document_owner: Owner | None = None
    asset_holder: UUID | None = None


def attribute(
    touch: Touch, routes: MutableMapping[str, Route], order: Sequence[IdentifierType] = ATTRIBUTION_ORDER
) -> tuple[UUID | None, Attribution]:
    """The profile of `touch` and the reason; adds new guesses to `routes`.

    `order` says which type of identifier decides where several lead to different profiles. `routes` holds the route
    of every routable identifier of the touch. May be repeated: the same routes give the same result.
    """
    usable = _in_type_order(touch.identifiers, routes, order)
    profile_id, attribution = _decide(touch, usable, routes)
    if profile_id is not None:
        for identifier in usable:
            route = routes[identifier.key]
            if route.leads_to is None:
                routes[identifier.key] = replace(route, guess=profile_id)
    return profile_id, attribution


def _decide(
    touch: Touch, usable: Sequence[RecordedIdentifier], routes: Mapping[str, Route]
) -> tuple[UUID | None, Attribution]:
    if touch.source_record is not None:
        return source_profile_id(*touch.source_record), Attribution(by="source")
    for identifier in usable:
        route = routes[identifier.key]
        if route.leads_to is not None:
            return route.leads_to, Attribution(
                by="identifier", identifier_key=identifier.key, route_seq=route.route_seq
            )
    if usable:
        first, route = usable[0], routes[usable[0].key]
        return mint(first, route), Attribution(by="minted", identifier_key=first.key, route_seq=route.route_seq)
    if touch.conversation_profile is not None:
        return touch.conversation_profile, Attribution(by="conversation")
    if touch.device_user is not None:
        key, user = touch.device_user
        return user, Attribution(by="identifier", identifier_key=key)
    if touch.document_owner is not None:
        return touch.document_owner.profile_id, Attribution(by="source", document=touch.document_owner.document)
    if touch.asset_holder is not None:
        return touch.asset_holder, Attribution(by="asset")
    return None, Attribution(by="anonymous")


def mint(identifier: RecordedIdentifier, route: Route) -> UUID:
    """The profile id that a first touch by `identifier` makes; an external identifier is a source record."""
    if identifier.type is IdentifierType.EXTERNAL and isinstance(identifier.normal, str):
        return source_profile_id(*system_and_record(identifier.normal))
    return first_touch_profile_id(identifier.key, route.route_seq)


def _in_type_order(
    identifiers: Sequence[RecordedIdentifier], routes: Mapping[str, Route], order: Sequence[IdentifierType]
) -> list[RecordedIdentifier]:
    usable = [
        identifier
        for identifier in identifiers
        if identifier.routable and routes[identifier.key].target is not RouteTarget.BLOCKED
    ]
    return sorted(usable, key=lambda identifier: (order.index(identifier.type), identifier.key))
