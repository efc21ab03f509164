"""Customers are trees of joins. A profile is its own customer until joined. The root's id is the customer's id.

An active join leads from a founding profile to the profile it was joined into, so every profile has at most one way
up and the joins form a forest. To undo one is to cut that edge: the branch below is a customer of its own again.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from rapport_shared.contracts.customer import ProfileMove

MAX_PROFILES = 200
"""The limit of profiles per customer. More profiles are a mistake rather than duplicates of one party."""


@dataclass(frozen=True, slots=True)
class Membership:
    """The customer that a profile belongs to; `mapping_seq` counts its moves."""

    profile_id: UUID
    customer_id: UUID
    mapping_seq: int


@dataclass(frozen=True, slots=True)
class Founding:
    """The facts that decide the survivor when nobody chose."""

    profile_id: UUID
    registered: bool
    created_at: datetime


class Circular(Exception):
    """A join would put a customer under itself."""


class TooManyProfiles(Exception):
    """A join would make a customer of more than `MAX_PROFILES` profiles."""


def moves_of_join(members: Iterable[Membership], into: Membership, already: int = 1) -> tuple[ProfileMove, ...]:
    """The moves when a customer with these `members` goes under the customer of `into`, sorted by profile.

    `already` is how many profiles that customer has. Raises `Circular` when both are one, `TooManyProfiles`.
    """
    moving = list(members)
    if any(member.customer_id == into.customer_id for member in moving):
        raise Circular
    if len(moving) + already > MAX_PROFILES:
        raise TooManyProfiles
    return _moves(moving, into.customer_id)


def moves_of_undo(branch: Iterable[Membership], root: UUID) -> tuple[ProfileMove, ...]:
    """The moves when the profiles of `branch`, below the founding profile `root`, are a customer again."""
    return _moves(branch, root)


def survivor(one: Founding, other: Founding) -> Founding:
    """The survivor of two customers when nobody chose: registered before provisional, then the oldest."""
    return min(one, other, key=lambda root: (not root.registered, root.created_at, root.profile_id))


def _moves(members: Iterable[Membership], customer_id: UUID) -> tuple[ProfileMove, ...]:
    return tuple(
        ProfileMove(profile_id=member.profile_id, mapping_seq=member.mapping_seq + 1, customer_id=customer_id)
        for member in sorted(members, key=lambda member: member.profile_id)
    )
