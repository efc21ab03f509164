"""What a good record of a customer has, and what of it can be read: judged alike by its owner and in the view."""

from collections.abc import Mapping
from typing import Any, Final

EXPECTED: Final[Mapping[str, tuple[str, ...]]] = {
    "person": ("name", "birth_date", "addresses", "language"),
    "company": ("name", "addresses", "industry", "size"),
    "household": ("name", "addresses"),
}

_SIGNS: Final = {"phone": "+", "email": "@"}


def expected_fields(kind: Any) -> tuple[str, ...]:
    """The fields that a good record of a kind has, beside an identifier; one of no kind is taken for a person's."""
    return EXPECTED.get(str(kind), EXPECTED["person"])


def reads_identifier(type_: str, normal: Any) -> bool:
    """Whether a normal form is one of its type; what was erased counts as read."""
    return not isinstance(normal, str) or _SIGNS.get(type_, "") in normal
