"""Keys that select, among a million profiles, the few to compare with a new one.

Two profiles that share one key are compared. Every key joins two parts that fail apart, and no part is in all keys, so
that a slip in any one field, names exchanged, or day and month exchanged, leave some key the same. A key holds a
handful of profiles in a base of a million; where people crowd (one building, one given name) it holds more. The
caller reads at most `CAP` + 1 profiles of a key and passes over a key that has more: such a key says little, and what
it would have found has other keys.
"""

from typing import Final

from rapport_customer.domain.matching.features import Features, Place

_PREFIX: Final = 6
_CITY_PREFIX: Final = 4

CAP: Final = 200
"""Profiles under one key beyond which it is passed over."""

_SOUNDS: Final = str.maketrans("bfpvcgjkqsxzdtlmnr", "111122222222334556", " aeiouyhw")


def blocking_keys(features: Features) -> frozenset[str]:
    """The keys under which a profile is found, each with its kind before the colon."""
    keys = [f"ph:{phone}" for phone in features.phones]
    keys += [f"em:{mailbox}" for mailbox in features.mailboxes]
    if features.name:
        _add_name(keys, features)
    else:
        _add_person(keys, features)
    return frozenset(keys)


def trigram_text(features: Features) -> str:
    """The name in small letters, parts in alphabetical order, for `pg_trgm`: finds what no key does.

    Empty where there is no name.
    """
    if features.name:
        return features.name
    return " ".join(sorted(filter(None, (features.family, features.given))))


def _add_name(keys: list[str], features: Features) -> None:
    keys.append(f"na:{features.name}")
    for place in features.places:
        keys += [f"ca:{features.name[:_PREFIX]}|{area}" for area in (place.postcode, place.city) if area]


def _add_person(keys: list[str], features: Features) -> None:
    family, given = _sound(features.family), _sound(features.given)
    sounds = [sound for sound in (family, given) if sound]
    if features.other_family:
        sounds.append(_sound(features.other_family))
    letters = "".join(sorted(features.family + features.given))
    day = _day(features.birth_date) if features.birth_date else ""
    if day:
        keys += [f"sd:{sound}|{day}" for sound in sounds]
    if len(sounds) > 1:
        keys += _of_whole_name(family + given if family < given else given + family, letters, day)
    for place in features.places:
        _add_place(keys, place, letters, sounds, day)


def _of_whole_name(both: str, letters: str, day: str) -> tuple[str, ...]:
    return (f"ny:{both}|{day[:4]}", f"nd:{letters}|{day[4:]}") if day else (f"na:{letters}",)


def _add_place(keys: list[str], place: Place, letters: str, sounds: list[str], day: str) -> None:
    street, district = place.street.replace(" ", "")[:_PREFIX], place.district.replace(" ", "")[:_PREFIX]
    lines = [line for line in (street, district) if line]
    keys += [f"sl:{sound}|{line}" for sound in sounds for line in lines]
    if len(lines) > 1:
        keys.append(f"ll:{street}|{district}" if street < district else f"ll:{district}|{street}")
    if place.postcode:
        keys += [f"sp:{sound}|{place.postcode}" for sound in sounds]
        keys += [f"pl:{place.postcode}|{line}|{place.number}" for line in lines]
    if place.region and day:
        keys.append(f"dr:{day}|{place.region}")
    if place.city:
        _add_city(keys, place.city[:_CITY_PREFIX], place.number, lines, sounds)
        keys.append(f"dc:{day}|{place.city[:_CITY_PREFIX]}" if day else f"nc:{letters}|{place.city}")


def _add_city(keys: list[str], city: str, number: str, lines: list[str], sounds: list[str]) -> None:
    keys += [f"cl:{city}|{line}" for line in lines]
    if number:
        keys += [f"cn:{city}|{number}|{sound}" for sound in sounds]


def _day(birth: str) -> str:
    """The date with the smaller of month and day first."""
    month, day = birth[4:6], birth[6:]
    return birth if month <= day else f"{birth[:4]}{day}{month}"


def _sound(name: str) -> str:
    """The first letter and the classes of the next three consonants: Soundex, but that repetitions stay."""
    return name[0] + name[1:].translate(_SOUNDS)[:3] if name else ""
