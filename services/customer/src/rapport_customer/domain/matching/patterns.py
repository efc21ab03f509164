"""The pattern of agreement of two profiles: a level for each field."""

from collections.abc import Sequence
from typing import Final

from rapport_customer.domain.matching.features import Features, Place
from rapport_customer.domain.matching.levels import CLOSE, DISAGREE, EXACT, MISSING, VERY_CLOSE, Pattern
from rapport_customer.domain.matching.likeness import (
    date_level,
    digits_level,
    given_level,
    line_level,
    number_level,
    pinyin_level,
    word_level,
)

_WORTH: Final = (0, -2, 1, 2, 3)
"""The rank of a level when one of several ways to compare is chosen."""

_NOWHERE: Final = (MISSING,) * 6
_MAILBOXES_OF_ROLES: Final = frozenset(
    ("contact", "kontakt", "office", "postmaster", "service", "support", "webmaster", "zentrale", "vertrieb")
)
_ACCOUNTS: Final = frozenset({"card", "social", "external"})
_MAILBOX_LENGTH: Final = 6
_PART_LENGTH: Final = 4


def pattern_of(a: Features, b: Features) -> Pattern:
    """The levels of all fields, in the order of `Field`; the same for (b, a)."""
    family, given = _names(a, b)
    name = _name(a, b) if a.name or b.name else MISSING
    birth = date_level(a.birth_date, b.birth_date)
    if a.identifiers and b.identifiers:
        contacts = (_phone(a, b), _email(a, b), _account(a, b))
    else:
        contacts = (MISSING, MISSING, MISSING)
    return (family, given, name, birth, *_places(a.places, b.places), *contacts)


def _names(a: Features, b: Features) -> tuple[int, int]:
    """Levels of family and given name. Exchanged, or parted elsewhere (Xiao Ming Wang), they are very close at best."""
    straight = family, given = _straight(a, b)
    if family == EXACT or given == EXACT or (family == given == VERY_CLOSE) or (a.han_given and b.han_given):
        return straight
    if a.family and b.family and _same_letters(a, b):
        return VERY_CLOSE, VERY_CLOSE
    first, second = given_level(a.family, b.given), given_level(a.given, b.family)
    if _WORTH[first] + _WORTH[second] <= _WORTH[family] + _WORTH[given]:
        return straight
    return min(first, second, VERY_CLOSE), min(max(first, second), VERY_CLOSE)


def _same_letters(a: Features, b: Features) -> bool:
    ours, theirs = a.family + a.given, b.family + b.given
    return len(ours) == len(theirs) and sorted(ours) == sorted(theirs)


def _straight(a: Features, b: Features) -> tuple[int, int]:
    family = EXACT if a.family == b.family and a.family else _family(a, b)
    if a.han_given and b.han_given:
        sounding = EXACT if a.given == b.given else DISAGREE
        return _han(a.han_family, b.han_family, family), _han(a.han_given, b.han_given, sounding)
    if a.given == b.given and a.given:
        return family, EXACT
    return family, (pinyin_level if a.is_pinyin and b.is_pinyin else given_level)(a.given, b.given)


def _family(a: Features, b: Features) -> int:
    if a.other_family or b.other_family:
        readings = {a.family, a.other_family} - {""}
        if not readings.isdisjoint({b.family, b.other_family} - {""}):
            return EXACT
    level = word_level(a.family, b.family)
    return CLOSE if level == DISAGREE and _is_double(a.family, b.family) else level


def _is_double(a: str, b: str) -> bool:
    """Whether one is a double name that the other is part of: Schmidt-Weber and Weber."""
    shorter, longer = (a, b) if len(a) < len(b) else (b, a)
    return len(shorter) >= _PART_LENGTH and (longer.startswith(shorter) or longer.endswith(shorter))


def _han(a: str, b: str, sounding: int) -> int:
    """Of names in Chinese characters: other characters of the same sound are close, as written down on the phone."""
    if a == b:
        return EXACT
    return CLOSE if sounding == EXACT else DISAGREE


def _name(a: Features, b: Features) -> int:
    """Of companies and households: digits tell them apart, and so does any character of a Chinese name."""
    level = word_level(a.name, b.name)
    if level in (MISSING, EXACT):
        return level
    if not (a.name.isascii() and b.name.isascii()) or _digits(a.name) != _digits(b.name):
        return DISAGREE
    return level


def _digits(text: str) -> str:
    return "".join(filter(str.isdigit, text))


def _places(ours: Sequence[Place], theirs: Sequence[Place]) -> Pattern:
    """The levels of the two addresses that agree best: street, number, district, city, postcode, region."""
    if not ours or not theirs:
        return _NOWHERE
    if len(ours) == len(theirs) == 1:
        return _place(ours[0], theirs[0])
    return max((_place(a, b) for a in ours for b in theirs), key=lambda levels: (_worth(levels), levels))


def _worth(levels: Pattern) -> int:
    return sum(_WORTH[level] for level in levels)


def _place(a: Place, b: Place) -> Pattern:
    if a.country and b.country and a.country != b.country:
        return _NOWHERE
    street, district = line_level(a.street, b.street), line_level(a.district, b.district)
    if street <= DISAGREE and district <= DISAGREE and (a.district or b.district):
        street, district = _exchanged(a, b, street, district)
    return (
        street,
        number_level(a.number, b.number),
        district,
        word_level(a.city, b.city),
        digits_level(a.postcode, b.postcode),
        word_level(a.region, b.region),
    )


def _exchanged(a: Place, b: Place, street: int, district: int) -> tuple[int, int]:
    """Levels of street and district where one of the two wrote them in each other's place, very close at best."""
    first, second = line_level(a.street, b.district), line_level(a.district, b.street)
    if _WORTH[first] + _WORTH[second] <= _WORTH[street] + _WORTH[district]:
        return street, district
    return min(max(first, second), VERY_CLOSE), min(first, second, VERY_CLOSE)


def _phone(a: Features, b: Features) -> int:
    if not a.phones or not b.phones:
        return MISSING
    if _share(a, b, ("phone",)):
        return EXACT
    return VERY_CLOSE if not set(a.phones).isdisjoint(b.phones) else DISAGREE


def _email(a: Features, b: Features) -> int:
    if not a.mailboxes or not b.mailboxes:
        return MISSING
    if _share(a, b, ("email",)):
        return EXACT
    shared = {box for box in a.mailboxes if len(box) >= _MAILBOX_LENGTH} & set(b.mailboxes) - _MAILBOXES_OF_ROLES
    return VERY_CLOSE if shared else DISAGREE


def _account(a: Features, b: Features) -> int:
    return EXACT if _share(a, b, _ACCOUNTS) else MISSING


def _share(a: Features, b: Features, types: frozenset[str] | tuple[str, ...]) -> bool:
    ours = {identifier.key for identifier in a.identifiers if identifier.type in types}
    return any(identifier.key in ours for identifier in b.identifiers if identifier.type in types)
