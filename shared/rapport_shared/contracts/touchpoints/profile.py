"""Profiles, consents, and who a web visitor turned out to be."""

from typing import Annotated, Literal

from pydantic import Field

from rapport_shared.contracts.model import Contract
from rapport_shared.contracts.touchpoints.envelope import TouchpointEnvelope
from rapport_shared.contracts.touchpoints.fields import Code, Line, PersonalLine, PersonalText, SourceRecord


class Name(Contract):
    """A name, as a whole and in parts."""

    display: PersonalLine | None = None
    family: PersonalLine | None = None
    given: PersonalLine | None = None


class Address(Contract):
    """A postal address, in parts where the source has parts, else `raw`."""

    country: Code | None = None
    region: PersonalLine | None = None
    city: PersonalLine | None = None
    district: PersonalLine | None = None
    street: PersonalLine | None = None
    postcode: PersonalLine | None = None
    raw: PersonalLine | None = None


class Relation(Contract):
    """A relation of this profile to another source record: employer, parent, household, …"""

    type: Code
    to: SourceRecord


class Profile(Contract):
    """A snapshot of what a source says of a person, company or household.

    `birth_date` is text: what is no date is kept as it came and flagged, it refuses nothing.
    """

    kind: Literal["person", "company", "household"] | None = None
    name: Name | None = None
    addresses: Annotated[tuple[Address, ...], Field(max_length=50)] = ()
    birth_date: PersonalLine | None = None
    language: Code | None = None
    industry: Code | None = None
    size: Code | None = None
    region: Code | None = None
    relations: Annotated[tuple[Relation, ...], Field(max_length=200)] = ()


class Consent(Contract):
    """A consent to one purpose, given or withdrawn; `channel` where it holds for one channel alone."""

    purpose: Code
    channel: Code | None = None
    wording: Line | None = None
    proof: PersonalText | None = None


class WebIdentity(Contract):
    """The account that somebody at `device` signed in to."""

    device: PersonalLine
    account: PersonalLine


class ProfileReported(TouchpointEnvelope):
    """A source reports a profile as it now is."""

    kind: Literal["profile.reported"]
    data: Profile


class ConsentGiven(TouchpointEnvelope):
    """The customer agreed."""

    kind: Literal["consent.given"]
    data: Consent


class ConsentWithdrawn(TouchpointEnvelope):
    """The customer agrees no longer."""

    kind: Literal["consent.withdrawn"]
    data: Consent


class WebIdentified(TouchpointEnvelope):
    """A visitor signed in."""

    kind: Literal["web.identified"]
    data: WebIdentity
