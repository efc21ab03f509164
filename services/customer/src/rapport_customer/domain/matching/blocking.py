"""What finds the few profiles that a new one is worth comparing with, among a million.

Two profiles that share one key are compared. Every key joins two parts that fail apart, and no part is in all keys, so
that a slip in any one field, names exchanged, or day and month exchanged, leave some key the same. A key holds a
handful of profiles in a base of a million; where people crowd (one building, one given name) it holds more. The
caller reads at most `CAP` + 1 profiles of a key and passes over a key that has more: such a key says little, and what
it would have found has other keys.
"""

from collections.abc import Iterator
from typing import Final

from rapport_customer.domain.matching.features import Features, Place

CAP: Final = 200
"""Profiles under one key beyond which it is passed over."""

_VOWELS: Final = str.maketrans("", "", "aeiouyhw")
_SOUNDS: Final = str.maketrans("bfpvcgjkqsxzdtlmnr", "1111222222223345" + "56")


def blocking_keys(features: Features) -> frozenset[str]:
    """The keys under which a profile is found, each with its kind before the colon; none where there is no name."""
    return frozenset(_keys(features)) if features.comparable else frozenset()


def trigram_text(features: Features) -> str:
    """The name in small letters, parts in alphabetical order, for `pg_trgm`: finds what no key does.

    Empty where there is no name.
    """
    if features.name:
        return features.name
    return " ".join(sorted(filter(None, (features.family, features.given))))


def _keys(features: Features) -> Iterator[str]:
    for phone in features.phones:
        yield f"ph:{phone}"
    for mailbox in features.mailboxes:
        yield f"em:{mailbox}"
    if features.name:
        yield from _of_name(features)
    else:
        yield from _of_person(features)


def _of_name(features: Features) -> Iterator[str]:
    yield f"cn:{features.name}"
    for place in features.places:
        if place.postcode or place.city:
            yield f"cp:{features.name[:3]}|{place.postcode or place.city}"


def _of_person(features: Features) -> Iterator[str]:
    family, given, birth = features.family, features.given, features.birth_date
    letters = "".join(sorted(family + given))
    sounds = [sound for name in {family, given, features.other_family} if (sound := _sound(name))]
    if birth:
        day = _day(birth)
        yield f"nd:{letters}|{day[4:]}"
        yield f"ny:{letters}|{day[:4]}"
        for sound in sounds:
            yield f"sd:{sound}|{day}"
    elif family and given:
        yield f"na:{letters}"
    for place in features.places:
        yield from _of_place(place, letters, sounds, birth)


def _of_place(place: Place, letters: str, sounds: list[str], birth: str) -> Iterator[str]:
    street = place.street.replace(" ", "")[:8]
    if place.postcode:
        for sound in sounds:
            yield f"sp:{sound}|{place.postcode}"
        if birth:
            yield f"dp:{_day(birth)}|{place.postcode}"
        if street:
            yield f"ps:{place.postcode}|{street}|{place.number}"
    if street:
        yield f"ls:{letters}|{street}"
        if birth:
            yield f"ds:{_day(birth)}|{street}"


def _day(birth: str) -> str:
    """The date with the smaller of month and day first."""
    month, day = birth[4:6], birth[6:]
    return birth if month <= day else f"{birth[:4]}{day}{month}"


def _sound(name: str) -> str:
    """The first letter and the classes of the next consonants, doubled ones once: Soundex, but vowels part nothing."""
    return name[:1] + name[1:].translate(_VOWELS).translate(_SOUNDS)[:3] if name else ""
