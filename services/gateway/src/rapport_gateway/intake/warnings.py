"""Warnings about accepted touchpoints that will not have the effect that the sender expects.

Nothing is decided here: the interaction service makes the normal forms that count, by the same pure functions.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final

from rapport_shared.contracts.touchpoints import CHANNELS, Identifier, Touchpoint
from rapport_shared.normalisation import normalise_identifier, phone_region

NO_REGION: Final = "phone_without_region"
UNREADABLE: Final = "unreadable"
NOTHING: Final = "stands_for_nothing"
UNVERIFIED: Final = "verification_ignored"
NEW_CHANNEL: Final = "new_channel"
BLOCKED: Final = "blocked"

_EXPECTED: Final = {
    "phone": 'a number such as "+86 138 0013 8000"',
    "email": 'an address such as "wang@example.com"',
    "external": 'the number of the record in its system, such as "C-1001"',
    "card": 'a number such as "6222-0210-0101"',
    "device": 'an id such as "dev-71c0"',
    "social": 'an account such as "@wang"',
}
_A_VALUE: Final = {"phone": "a phone number", "email": "an e-mail address"}
_REGION_MISSING: Final = (
    "The number names no country, and neither its unit nor the deployment has a phone region: it leads to nobody. "
    'Expected is a number such as "+86 138 0013 8000", or "region": "CN" beside it.'
)


@dataclass(frozen=True, slots=True)
class Warning:
    """A warning to the sender of an accepted touchpoint: a place, a stable code and a sentence; never the value."""

    pointer: str
    code: str
    message: str

    def document(self) -> dict[str, str]:
        """As JSON shows it."""
        return {"pointer": self.pointer, "code": self.code, "message": self.message}


def warnings_of(
    touchpoint: Touchpoint, region: str | None, may_verify: Collection[str], most: int
) -> Iterator[Warning]:
    """The warnings of a touchpoint, of its first `most` identifiers. `region` is that of its unit or the deployment."""
    source = touchpoint.source
    record = source.record if source is not None else None
    if source is not None and record and not normalise_identifier("external", record, system=source.system).usable:
        yield _nothing("/source/record", "external")
    for position, identifier in enumerate(touchpoint.identifiers[:most]):
        yield from unusable(identifier, position, region)
        yield from _unverified(identifier, position, may_verify)


def new_channel(channel: str) -> Warning:
    """The warning about a channel without an earlier report."""
    known = ", ".join(sorted(CHANNELS))
    message = (
        f'The channel "{channel}" is new: nobody reported on it until a day ago, and no key is made for it. '
        f"Expected is {known}, or one that the deployment adds by making a key for it."
    )
    return Warning("/channel", NEW_CHANNEL, message)


def blocked(position: int) -> Warning:
    """The warning of an identifier that the matching policy blocks."""
    message = (
        "The matching policy blocks this value: it leads to nobody. Expected is an identifier of the customer alone."
    )
    return Warning(f"/identifiers/{position}", BLOCKED, message)


def unusable(identifier: Identifier, position: int, region: str | None) -> Iterator[Warning]:
    """The warning about an identifier that leads to no profile. `region` reads phone numbers without a country code."""
    place = f"/identifiers/{position}"
    reads = phone_region(identifier.region, region, None)
    flags = normalise_identifier(identifier.type, str(identifier.value), reads, identifier.system).flags
    if "placeholder" in flags or "empty" in flags:
        yield _nothing(place, identifier.type)
    elif "no_region" in flags:
        yield Warning(place, NO_REGION, _REGION_MISSING)
    elif "unparsed" in flags:
        what = f"a phone number of {reads}" if identifier.type == "phone" and reads else _A_VALUE[identifier.type]
        message = f"The value cannot be read as {what}: it leads to nobody. Expected is {_EXPECTED[identifier.type]}."
        yield Warning(place, UNREADABLE, message)


def _unverified(identifier: Identifier, position: int, may_verify: Collection[str]) -> Iterator[Warning]:
    if identifier.verified and identifier.type not in may_verify:
        message = (
            f'"verified" does not count: the key may not verify identifiers of the type {identifier.type}. '
            f'Expected is a key with "{identifier.type}" in its "may_verify".'
        )
        yield Warning(f"/identifiers/{position}/verified", UNVERIFIED, message)


def _nothing(place: str, type_: str) -> Warning:
    message = (
        'The value is a placeholder such as "n/a", "undefined", "test" or zeros: it leads to nobody. '
        f"Expected is {_EXPECTED[type_]}, or no value."
    )
    return Warning(place, NOTHING, message)
