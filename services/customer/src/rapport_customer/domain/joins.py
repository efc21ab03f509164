"""Customers are trees of joins: a profile is its own customer until joined, the root's id is the customer's."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from rapport_shared.contracts.customer import ProfileMove


@dataclass(frozen=True, slots=True)
class Membership:
    """The customer that a profile belongs to; `mapping_seq` counts its moves."""

    profile_id: UUID
    customer_id: UUID
    mapping_seq: int


class Circular(Exception):
    """A join would put a customer under itself."""


def moves_of_join(members: Iterable[Membership], into: Membership) -> tuple[ProfileMove, ...]:
    """The moves when a customer with these `members` goes under the customer of `into`, sorted by profile.

    Raises `Circular` when that is the same customer.
    """
    moving = sorted(members, key=lambda member: member.profile_id)
    if any(member.customer_id == into.customer_id for member in moving):
        raise Circular
    return tuple(
        ProfileMove(profile_id=member.profile_id, mapping_seq=member.mapping_seq + 1, customer_id=into.customer_id)
        for member in moving
    )
