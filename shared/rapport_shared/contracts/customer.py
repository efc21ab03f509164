"""What the customer service publishes. Register events carry the full state and what changed."""

from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Literal
from uuid import UUID

from pydantic import Field

from rapport_shared.contracts.interaction import IdentifierType
from rapport_shared.contracts.model import Contract
from rapport_shared.contracts.pii import Pii


class FieldCandidate(Contract):
    """One source's statement of a field, with what survivorship needs to rank it.

    `priority` is that of the source at that time; the greater wins.
    """

    value: Pii[Any]
    source: str
    manual: bool = False
    verified: bool = False
    priority: int = 0
    occurred_at: datetime
    event_id: UUID


class HeldIdentifier(Contract):
    """An identifier that a profile holds."""

    type: IdentifierType
    key: str
    raw: Pii[str]
    normal: Pii[str]
    norm_version: int
    verified: bool = False
    system: str | None = None
    routed: bool
    held_since: datetime


class ConsentState(Contract):
    """The latest statement of a purpose at one profile."""

    purpose: str
    given: bool
    channel: str | None = None
    wording: str | None = None
    occurred_at: datetime
    event_id: UUID


ACYCLIC_RELATIONS: Final = frozenset({"member_of", "employee_of"})
"""Types of which no chain may lead back to where it began. Of any other type only a relation to oneself is wrong."""


class RelationState(Contract):
    """A relation of this profile to another source record, as one source states it or somebody did by hand.

    `to` names the record, `profile_id` its profile, which need not be known yet; `to` is empty where somebody named
    the profile alone. Of events from before relations were kept by source, nothing but `type` and `to` is said.
    """

    type: str
    to: dict[str, str]
    profile_id: UUID | None = None
    source: str | None = None
    manual: bool = False
    occurred_at: datetime | None = None
    event_id: UUID | None = None


class EndedRelation(Contract):
    """Somebody said by hand that a relation is none, whoever states it."""

    type: str
    profile_id: UUID
    occurred_at: datetime
    event_id: UUID


class SourceState(Contract):
    """A source that reported this profile, and its snapshot that counts."""

    system: str
    record: str | None = None
    occurred_at: datetime
    event_id: UUID


class ProfileState(Contract):
    """A profile's register: every field with its candidates, the winner chosen when rendering.

    A relation is stated while one of `relations` says so and none of `ended_relations` ends it.
    """

    profile_id: UUID
    registered: bool
    sources: tuple[SourceState, ...] = ()
    fields: dict[str, tuple[FieldCandidate, ...]] = Field(default_factory=dict)
    identifiers: tuple[HeldIdentifier, ...] = ()
    consents: tuple[ConsentState, ...] = ()
    relations: tuple[RelationState, ...] = ()
    ended_relations: tuple[EndedRelation, ...] = ()
    unit: str | None = None
    owner: str | None = None
    registered_at: datetime | None = None
    created_at: datetime


class HandOver(Contract):
    """The owner of a profile changed. Where `handed_over`, what the former owner has to do for the customer goes too.

    `hand_over_id` is that of all that was handed over at once; `customer_id` and `profiles` are as they were then.
    """

    hand_over_id: UUID
    former_owner: str | None = None
    owner: str | None = None
    handed_over: bool = False
    customer_id: UUID | None = None
    profiles: tuple[UUID, ...] = ()
    reason: Pii[str] | None = None
    decided_by: str | None = None


class ProfileChanged(Contract):
    """A profile's register changed; `changed` names the parts. `hand_over` tells of a changed owner."""

    profile: ProfileState
    changed: tuple[str, ...]
    hand_over: HandOver | None = None


class RouteTarget(StrEnum):
    """Where touches by an identifier go."""

    PROFILE = "profile"
    NOBODY = "nobody"
    BLOCKED = "blocked"


class IdentifierRouted(Contract):
    """The route of an identifier changed. `route_seq` is dense per identifier key, starting at 1."""

    identifier_key: str
    identifier_type: IdentifierType
    target: RouteTarget
    profile_id: UUID | None = None
    route_seq: int
    valid_from: datetime
    valid_to: datetime | None = None


class ProfileMove(Contract):
    """The customer a profile belongs to from now on. A reader keeps the highest `mapping_seq` of a profile."""

    profile_id: UUID
    mapping_seq: int
    customer_id: UUID


class CustomerMerged(Contract):
    """A join put the tree rooted at `from_customer` under `into_profile`."""

    merge_id: UUID
    from_customer: UUID
    into_profile: UUID
    into_customer: UUID
    reason: Literal["manual", "identifier", "matching"]
    decided_by: str | None = None
    moves: tuple[ProfileMove, ...]


class CustomerUnmerged(Contract):
    """The join `merge_id` was undone: `from_customer` is a customer of its own again, with its profiles of today."""

    merge_id: UUID
    from_customer: UUID | None = None
    into_profile: UUID | None = None
    decided_by: str | None = None
    moves: tuple[ProfileMove, ...]


class CandidateReason(Contract):
    """What one field says of two profiles; nothing in it is personal. `weight` is in bits, for a merge if positive."""

    field: str
    level: str
    weight: float | None = None


class CandidateState(Contract):
    """Two profiles that may be one party, for somebody to decide: the register of a merge candidate.

    `probability` is None where no score but a fact raised it: a shared identifier, or a touch whose identifiers
    lead to both.
    """

    candidate_id: UUID
    one: UUID
    other: UUID
    state: Literal["open", "later", "merged", "never", "withdrawn"]
    cause: Literal["matching", "identifier", "touch"]
    probability: float | None = None
    reasons: tuple[CandidateReason, ...] = ()
    due_at: datetime | None = None
    decided_by: str | None = None


class CandidateChanged(Contract):
    """A merge candidate was raised, decided upon or withdrawn."""

    candidate: CandidateState
    changed: tuple[str, ...]


class AssetKey(Contract):
    """What finds an asset. A plate that came from another has `from_at`, one that went to another `until`."""

    type: Literal["serial", "plate"]
    key: str
    normal: Pii[str]
    from_at: datetime | None = None
    until: datetime | None = None


class AssetHolding(Contract):
    """Who held an asset from when on, until the next holding begins."""

    profile_id: UUID
    from_at: datetime
    event_id: UUID


class AssetService(Contract):
    """One work order at an asset."""

    work_order: str
    occurred_at: datetime
    event_id: UUID
    mileage: int | None = None


class AssetAttribute(Contract):
    """The latest statement of a field that the deployment declared for assets."""

    value: Pii[Any]
    occurred_at: datetime
    event_id: UUID


class AssetState(Contract):
    """An asset's register: its keys, its holders in time order, its services, own fields by name.

    `former_keys` are plates that are on another asset now. `former_holders` are profiles of which it was said in
    error that they held it.
    """

    asset_id: UUID
    keys: tuple[AssetKey, ...]
    former_keys: tuple[AssetKey, ...] = ()
    former_holders: tuple[UUID, ...] = ()
    type: str | None = None
    model: str | None = None
    holdings: tuple[AssetHolding, ...] = ()
    services: tuple[AssetService, ...] = ()
    attributes: dict[str, AssetAttribute] = Field(default_factory=dict)


class AssetChanged(Contract):
    """An asset's register changed."""

    asset: AssetState
    changed: tuple[str, ...]


class UnitState(Contract):
    """An organisation unit."""

    path: str
    name: str
    time_zone: str
    currency: str
    phone_region: str
    calendar: str | None = None
    isolated: bool = False
    practice: bool = False


class UnitChanged(Contract):
    """An organisation unit was created or changed."""

    unit: UnitState
    changed: tuple[str, ...]


class ProfileMapState(Contract):
    """Compacted: the customer that a profile belongs to now."""

    profile_id: UUID
    customer_id: UUID
    mapping_seq: int
