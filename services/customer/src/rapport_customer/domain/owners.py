"""The owner of a customer."""

from collections.abc import Iterable

from rapport_shared.contracts.customer import ProfileState


def owner_of(records: Iterable[ProfileState]) -> str | None:
    """The owner of the oldest registered profile that has one, as the view shows it; else of the oldest provisional."""
    ordered = sorted(records, key=lambda one: (not one.registered, one.created_at, one.profile_id))
    return next((record.owner for record in ordered if record.owner), None)
