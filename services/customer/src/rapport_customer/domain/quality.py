"""The quality of each source of a profile: complete, readable, and in agreement with the winning values."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from rapport_shared.contracts.customer import FieldCandidate, ProfileState
from rapport_shared.contracts.good_record import expected_fields
from rapport_shared.contracts.survivorship import choose
from rapport_shared.normalisation import normalise_birth_date, reads_identifier

RECENT: Final = timedelta(days=90)
"""A record that was reported within this time is fresh."""


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
    expected = expected_fields(standing.get("kind"))
    filled = sum(field in stated for field in expected) + bool(state.identifiers)
    checks = [_reads_date(stated["birth_date"])] if "birth_date" in stated else []
    checks += [reads_identifier(held.type, held.normal) for held in state.identifiers]
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
