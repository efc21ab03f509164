"""Own fields of profiles and assets in their registers."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from rapport_shared.contracts.customer import AssetState, ProfileState
from rapport_shared.contracts.survivorship import choose

PREFIX: Final = "attributes."
"""The prefix of own fields among a profile's fields. Survivorship treats own fields like all others."""


def as_fields(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Own fields as fields of a profile."""
    return {PREFIX + name: value for name, value in attributes.items()}


def profile_attributes(state: ProfileState) -> Iterator[tuple[str, Any]]:
    """Every statement of an own field of a profile."""
    for name, candidates in state.fields.items():
        if name.startswith(PREFIX):
            yield from ((name.removeprefix(PREFIX), candidate.value) for candidate in candidates)


def standing(state: ProfileState, name: str) -> Any:
    """What the profile's register shows of a field; None where nobody states it."""
    choice = choose(candidate.model_dump(mode="json") for candidate in state.fields.get(name, ()))
    return choice.winner["value"] if choice else None


def standing_attributes(state: ProfileState) -> dict[str, Any]:
    """What the profile's register shows of its own fields."""
    return {name.removeprefix(PREFIX): standing(state, name) for name in state.fields if name.startswith(PREFIX)}


def asset_attributes(state: AssetState) -> Iterator[tuple[str, Any]]:
    """Every own field of an asset."""
    return ((name, attribute.value) for name, attribute in state.attributes.items())
