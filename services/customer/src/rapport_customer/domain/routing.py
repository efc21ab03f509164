"""Many profiles may hold an identifier; its route leads to one. The effect of a claim on the route."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, assert_never
from uuid import UUID

from rapport_shared.contracts.customer import RouteTarget

Claim = Literal["touch", "report", "command"]
"""The origin of a claim: a touchpoint with the identifier, a report of a source, or a person by hand."""


@dataclass(frozen=True, slots=True)
class Route:
    """Where touches by an identifier go; `route_seq` counts its changes."""

    target: RouteTarget
    profile_id: UUID | None
    route_seq: int


@dataclass(frozen=True, slots=True)
class RoutedProfile:
    """A profile as routing sees it. `registered`: a profile of its customer is known by more than touches."""

    profile_id: UUID
    customer_id: UUID
    registered: bool


class Proof(StrEnum):
    """What is known of two registered customers with one identifier."""

    SAME = "same"
    """They are one party: both proved to hold the identifier, and no evidence contradicts."""
    OTHER = "other"
    """The claimant proved to hold the identifier, and name and birth date differ: the identifier changed hands."""
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a claim does. `join` is `(from customer, into profile)`; `suspected`: they may be one party."""

    holds: bool
    takes_route: bool = False
    join: tuple[UUID, UUID] | None = None
    suspected: bool = False
    refused: bool = False


def judge(
    claim: Claim, claimant: RoutedProfile, route: Route, routed: RoutedProfile | None, proof: Proof = Proof.NONE
) -> Verdict:
    """What becomes of `claimant`'s claim on an identifier whose touches go to `routed`.

    A provisional customer never blocks: it is joined into whoever is registered with its identifier, and one that
    only touches made is joined to where touches go. Two registered customers are joined where they proved to be
    one; a number that changed hands takes its route along and joins nobody; else a command is refused, a report
    holds the identifier without its route, and both are suspected to be one party.
    """
    match route.target:
        case RouteTarget.BLOCKED:
            return Verdict(holds=claim != "touch")
        case RouteTarget.NOBODY:
            return Verdict(holds=True, takes_route=True)
        case RouteTarget.PROFILE:
            assert routed is not None
            return _against_routed(claim, claimant, routed, proof)
        case _:
            assert_never(route.target)


def _against_routed(claim: Claim, claimant: RoutedProfile, routed: RoutedProfile, proof: Proof) -> Verdict:
    if routed.profile_id == claimant.profile_id:
        return Verdict(holds=True)
    if routed.customer_id == claimant.customer_id:
        return Verdict(holds=True, takes_route=claim == "command")
    if claimant.registered and not routed.registered:
        return Verdict(holds=True, takes_route=True, join=(routed.customer_id, claimant.profile_id))
    if not claimant.registered:
        return Verdict(holds=True, join=(claimant.customer_id, routed.profile_id))
    match proof:
        case Proof.SAME:
            return Verdict(holds=True, join=(claimant.customer_id, routed.profile_id))
        case Proof.OTHER:
            return Verdict(holds=True, takes_route=True)
        case Proof.NONE:
            return Verdict(holds=claim == "report", suspected=claim != "command", refused=claim == "command")
        case _:
            assert_never(proof)
