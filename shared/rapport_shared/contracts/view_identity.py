"""The section `identity` of the unified view: who the customer is, and by what it is known."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from rapport_shared.contracts.model import Contract
from rapport_shared.contracts.touchpoints.profile import Address, Name


class ViewFields(Contract):
    """Fields of the identity that somebody states."""

    birth_date: str | None = Field(default=None, description="As it was stated; a date that no rule reads is kept.")
    addresses: list[Address] | None = None
    language: str | None = None
    industry: str | None = None
    size: str | None = None
    region: str | None = None


class ViewSource(Contract):
    """A source system that reported a profile, and its record."""

    system: str
    record: str | None


class ViewProfile(Contract):
    """A profile that the customer is made of."""

    profile_id: UUID
    registered: bool
    sources: list[ViewSource]


class ViewIdentifier(Contract):
    """An identifier that leads to the customer (`routed`), or that it holds beside another customer."""

    type: str
    key: str
    value: str
    verified: bool
    routed: bool


class ViewConsent(Contract):
    """The strictest statement of a purpose; without a channel it holds for all."""

    purpose: str
    channel: str | None
    given: bool
    since: datetime


class ViewRelation(Contract):
    """A relation that the customer's records state. `to` is empty where somebody named the profile alone."""

    type: str
    to: dict[str, str]
    profile_id: UUID
    customer_id: UUID
    display_name: str | None
    stated_at: datetime | None
    manual: bool
    cyclic: bool


class ViewRelated(Contract):
    """A customer whose records state a relation to this one."""

    customer_id: UUID
    display_name: str | None
    stated_at: datetime | None


class ViewRelatedOfType(Contract):
    """The customers that state a relation of one type: the latest, and how many there are."""

    total: int
    customers: list[ViewRelated]


class IdentitySection(Contract):
    """Who the customer is. `etag` is that of the owner's record; null before the record is known."""

    kind: str | None
    display_name: str | None
    also_known_as: list[str]
    name: Name | None
    fields: ViewFields
    registered: bool
    profiles: list[ViewProfile]
    identifiers: list[ViewIdentifier]
    unit: str | None
    units: list[str]
    owner: str | None
    consents: list[ViewConsent]
    attributes: dict[str, Any] = Field(description="The fields that the deployment declares, by name.")
    relations: list[ViewRelation]
    relations_total: int
    related: dict[str, ViewRelatedOfType] = Field(description="By the type of the relation.")
    etag: str | None
