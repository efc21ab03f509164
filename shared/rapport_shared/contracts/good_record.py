"""What a good record of a customer has: judged alike by its owner and in the view."""

from collections.abc import Mapping
from typing import Any, Final

EXPECTED: Final[Mapping[str, tuple[str, ...]]] = {
    "person": ("name", "birth_date", "addresses", "language"),
    "company": ("name", "addresses", "industry", "size"),
    "household": ("name", "addresses"),
}


def expected_fields(kind: Any) -> tuple[str, ...]:
    """The fields that a good record of a kind has, beside an identifier; one of no kind is taken for a person's."""
    return EXPECTED.get(str(kind), EXPECTED["person"])
