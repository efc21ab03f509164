"""Guards protect precision where similarity misleads: a guard limits the outcome of a pair, whatever its weight.

A sum of weights takes fields as independent. Members of one household are the exception: name and address come
together, and a wrong join costs more than a look by a person. So a guard forbids an outcome and names the reason.
"""

from collections.abc import Collection
from enum import StrEnum
from typing import Final

from rapport_customer.domain.matching.features import Features
from rapport_customer.domain.matching.given_names import two_names
from rapport_customer.domain.matching.levels import (
    ACCOUNT,
    BIRTH,
    CLOSE,
    DISAGREE,
    EMAIL,
    EXACT,
    FAMILY,
    GIVEN,
    MISSING,
    NAME,
    PHONE,
    VERY_CLOSE,
    Pattern,
)


class Guard(StrEnum):
    """Why a pair may not be joined. All but the first can be taken out of a policy."""

    KIND = "kind"
    """A company never is a person, nor a household. Never a candidate."""

    HOUSEHOLD = "household"
    """Given names differ and no birth date speaks for one person: relatives, or neighbours. Never a candidate."""

    GIVEN_NAME = "given_name"
    """Given names differ, or are not known: twins, and numbers that changed hands. For review at most."""

    FAMILY_NAME = "family_name"
    """Family names differ, or are not known, and it was no marriage: given name and birth date differ too.

    For review at most."""

    BIRTH_DATE = "birth_date"
    """Registered birth dates differ: father and son of one name. For review at most."""

    UNCONFIRMED = "unconfirmed"
    """Nothing but name and address agrees: father and son again, where nobody stated a birth date. For review."""

    COMPANY_NAME = "company_name"
    """Names of companies or households are not the same, or their legal forms differ. For review at most."""

    COMPANY_PLACE = "company_place"
    """Companies of one name, of which neither address nor contact agrees. For review at most."""


ALL: Final = tuple(Guard)
NEVER_CANDIDATES: Final = frozenset({Guard.KIND, Guard.HOUSEHOLD})


def different_kinds(a: Features, b: Features) -> bool:
    """Whether the two cannot be one party because only one of them is a person."""
    return a.kind is not None and b.kind is not None and a.kind != b.kind


def guards_of(a: Features, b: Features, pattern: Pattern, active: Collection[Guard]) -> tuple[Guard, ...]:
    """Those of the `active` guards that hold for a pair of one kind, in the order of `Guard`."""
    if a.name or b.name:
        found = _of_companies(a, b, pattern)
    elif pattern[FAMILY] >= CLOSE and pattern[GIVEN] == EXACT and pattern[BIRTH] >= CLOSE:
        return ()
    elif CLOSE <= pattern[GIVEN] <= VERY_CLOSE and two_names(a.given, b.given):
        found = _of_persons((pattern[FAMILY], DISAGREE, *pattern[GIVEN + 1 :]))
    else:
        found = _of_persons(pattern)
    return tuple(guard for guard in found if guard in active)


def _of_persons(pattern: Pattern) -> list[Guard]:
    family, given, birth = pattern[FAMILY], pattern[GIVEN], pattern[BIRTH]
    found = []
    if (given == DISAGREE and birth < VERY_CLOSE) or (given == CLOSE and birth == DISAGREE):
        found.append(Guard.HOUSEHOLD)
    if given < VERY_CLOSE and not _spoken_for(given, birth, pattern):
        found.append(Guard.GIVEN_NAME)
    if family < CLOSE and not (given >= VERY_CLOSE and birth == EXACT):
        found.append(Guard.FAMILY_NAME)
    if birth == DISAGREE:
        found.append(Guard.BIRTH_DATE)
    if birth == MISSING and not _contact(pattern):
        found.append(Guard.UNCONFIRMED)
    return found


def _spoken_for(given: int, birth: int, pattern: Pattern) -> bool:
    """Whether other fields confirm a close given name (an initial, another character of the same sound)."""
    return given == CLOSE and birth == EXACT and _contact(pattern)


def _contact(pattern: Pattern) -> bool:
    return EXACT in (pattern[PHONE], pattern[EMAIL], pattern[ACCOUNT])


def _of_companies(a: Features, b: Features, pattern: Pattern) -> list[Guard]:
    found = []
    if pattern[NAME] < VERY_CLOSE or (a.legal and b.legal and a.legal != b.legal):
        found.append(Guard.COMPANY_NAME)
    if not _contact(pattern) and not _same_place(pattern):
        found.append(Guard.COMPANY_PLACE)
    return found


def _same_place(pattern: Pattern) -> bool:
    from_street = pattern[BIRTH + 1]
    return from_street >= VERY_CLOSE and DISAGREE not in pattern[BIRTH + 2 : PHONE]
