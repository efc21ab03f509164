"""Profiles in one line, to be matched."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from rapport_customer.domain.matching import Features, features_of
from rapport_shared.contracts.customer import FieldCandidate, HeldIdentifier, ProfileState
from rapport_shared.contracts.interaction import IdentifierType
from rapport_shared.normalisation import normalise_identifier

REPORTED_AT: Final = datetime(2026, 3, 1, tzinfo=UTC)

Stated = str | dict[str, str] | None


def party(
    name: Stated = None,
    born: str | None = None,
    at: Stated = None,
    *,
    phone: str | None = None,
    email: str | None = None,
    card: str | None = None,
    kind: str | None = None,
) -> Features:
    """The features of a profile of which one source says this; `name` and `at` as one line or in parts."""
    address = {"raw": at} if isinstance(at, str) else at
    fields = {
        "kind": kind,
        "name": {"display": name} if isinstance(name, str) else name,
        "birth_date": born,
        "addresses": [address] if address else None,
    }
    identifiers = {IdentifierType.PHONE: phone, IdentifierType.EMAIL: email, IdentifierType.CARD: card}
    return features_of(profile(fields, ((type_, value) for type_, value in identifiers.items() if value)))


def profile(fields: dict[str, Any], identifiers: Iterable[tuple[IdentifierType, str]] = ()) -> ProfileState:
    """A profile's register, stated by one source."""
    return ProfileState(
        profile_id=UUID(int=1),
        registered=True,
        fields={
            name: (FieldCandidate(value=value, source="erp:1", occurred_at=REPORTED_AT, event_id=UUID(int=1)),)
            for name, value in fields.items()
            if value is not None
        },
        identifiers=tuple(held(type_, value) for type_, value in identifiers),
        created_at=REPORTED_AT,
    )


def held(type_: IdentifierType, value: str) -> HeldIdentifier:
    """An identifier as a profile holds it, phones of China."""
    form = normalise_identifier(type_, value, "CN")
    return HeldIdentifier(
        type=type_,
        key=f"{type_}:{form.normal}",
        raw=value,
        normal=form.normal,
        norm_version=form.norm_version,
        routed=True,
        held_since=REPORTED_AT,
    )
