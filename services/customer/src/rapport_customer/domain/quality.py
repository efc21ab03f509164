"""How good what each source says of a profile is: complete, readable, and in accord with what stands."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from rapport_shared.contracts.customer import FieldCandidate, HeldIdentifier, ProfileState
from rapport_shared.contracts.survivorship import choose
from rapport_shared.normalisation import normalise_birth_date

EXPECTED: Final[Mapping[str, tuple[str, ...]]] = {
    "person": ("name", "birth_date", "addresses", "language"),
    "company": ("name", "addresses", "industry", "size"),
    "household": ("name", "addresses"),
}
"""What a good record of each kind has, beside an identifier; one of no kind is taken for a person's."""

_SIGNS: Final = {"phone": "+", "email": "@"}


@dataclass(frozen=True, slots=True)
class SourceQuality:
    """Counts of one source record: fields filled of those expected, values readable of those checked, statements
    that stand of those made. Counts add up over records; shares do not."""

    system: str
    record: str
    unit: str
    expected: int
    filled: int
    checked: int
    readable: int
    states: int
    stands: int
    reported_at: datetime


def assess(state: ProfileState) -> list[SourceQuality]:
    """The quality of each source record of a profile. Erased values count as filled and readable."""
    plain = state.model_dump(mode="json")["fields"]
    standing = {name: choice.winner["value"] for name, stated in plain.items() if (choice := choose(stated))}
    return [
        _assess(state, source.system, source.record or "", source.occurred_at, standing) for source in state.sources
    ]


def _assess(
    state: ProfileState, system: str, record: str, reported_at: datetime, standing: Mapping[str, Any]
) -> SourceQuality:
    name = f"{system}:{record}"
    stated = {
        field: candidate
        for field, candidates in state.fields.items()
        for candidate in candidates
        if candidate.source == name
    }
    expected = EXPECTED.get(str(standing.get("kind")), EXPECTED["person"])
    filled = sum(field in stated for field in expected) + bool(state.identifiers)
    checks = [_reads_date(stated["birth_date"])] if "birth_date" in stated else []
    checks += [_reads_identifier(held) for held in state.identifiers]
    return SourceQuality(
        system,
        record,
        state.unit or "",
        expected=len(expected) + 1,
        filled=filled,
        checked=len(checks),
        readable=sum(checks),
        states=len(stated),
        stands=sum(_plain(candidate) == standing[field] for field, candidate in stated.items()),
        reported_at=reported_at,
    )


def _plain(candidate: FieldCandidate) -> Any:
    return candidate.model_dump(mode="json")["value"]


def _reads_date(candidate: FieldCandidate) -> bool:
    return not isinstance(candidate.value, str) or normalise_birth_date(candidate.value).usable


def _reads_identifier(held: HeldIdentifier) -> bool:
    return not isinstance(held.normal, str) or _SIGNS.get(held.type, "") in held.normal
