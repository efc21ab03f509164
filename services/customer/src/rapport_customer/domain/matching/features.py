"""The features of a profile: computed once from its register and stored, so that comparing parses nothing."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, cast

from pydantic import TypeAdapter

from rapport_shared.contracts.customer import FieldCandidate, HeldIdentifier, ProfileState
from rapport_shared.contracts.pii import ERASED
from rapport_shared.contracts.survivorship import Rank, ranked
from rapport_shared.normalisation.addresses import postal_address
from rapport_shared.normalisation.company_names import CompanyName, company_name
from rapport_shared.normalisation.identifiers import reads_identifier
from rapport_shared.normalisation.name_keys import PersonName, person_name
from rapport_shared.normalisation.names import normalise_birth_date

Kind = Literal["person", "company", "household"]

FEATURES_VERSION: Final = 2
"""Increment when the same register gives other features. Stored features of another version are computed again."""

SUFFIX: Final = 8
"""Digits of a phone number that are compared when country or area are written differently."""

MOST_PLACES: Final = 5
"""How many addresses of a profile are compared. The cost grows with the number of pairs of addresses."""

_DATE_DIGITS: Final = 8
_PARTS: Final = ("country", "region", "city", "district", "street", "postcode", "raw")


@dataclass(frozen=True, slots=True)
class Identifier:
    """An identifier that a profile holds; `verified` says whether a permitted channel verified it."""

    type: str
    key: str
    verified: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """An address, normal parts, empty where not known."""

    country: str = ""
    region: str = ""
    city: str = ""
    district: str = ""
    street: str = ""
    number: str = ""
    postcode: str = ""


@dataclass(frozen=True, slots=True)
class Features:
    """The values by which a profile is compared. Text is normalised, and empty if unknown.

    Persons have `family` and `given`, with Chinese characters in `han_family` and `han_given`; companies and
    households `name`, companies `legal`. `birth_date` is eight digits, not always a date that exists. `phones` are
    the last eight digits, `mailboxes` the part before the @. Features contain personal values and are erased with them.
    """

    kind: Kind | None = None
    family: str = ""
    given: str = ""
    other_family: str = ""
    han_family: str = ""
    han_given: str = ""
    is_pinyin: bool = False
    name: str = ""
    legal: str = ""
    birth_date: str = ""
    places: tuple[Place, ...] = ()
    phones: tuple[str, ...] = ()
    mailboxes: tuple[str, ...] = ()
    identifiers: tuple[Identifier, ...] = ()
    version: int = FEATURES_VERSION

    def to_json(self) -> str:
        """What `from_json` reads."""
        return _ADAPTER.dump_json(self, exclude_defaults=True).decode()

    @classmethod
    def from_json(cls, text: str | bytes) -> "Features":
        """Raises `pydantic.ValidationError` for what `to_json` does not write."""
        return _ADAPTER.validate_json(text)


_ADAPTER: Final = TypeAdapter(Features)


def features_of(state: ProfileState) -> Features:
    """Returns the features of a profile, from the winning candidate of each field. Erased values are unknown.

    An unreadable identifier is no feature: two profiles that both have "n/a" have nothing in common.
    """
    name = _mapping(_standing(state, "name"))
    kind = _kind(_text(_standing(state, "kind")), name)
    person = _person(name) if kind in (None, "person") else None
    company = _company(name) if kind in ("company", "household") else None
    held = [one for one in state.identifiers if reads_identifier(one.type, one.normal)]
    return Features(
        kind=kind,
        family=person.family if person else "",
        given=person.given if person else "",
        other_family=person.other_family if person else "",
        han_family=person.han_family if person else "",
        han_given=person.han_given if person else "",
        is_pinyin=person.is_pinyin if person else False,
        name=company.name if company else "",
        legal=company.legal if company else "",
        birth_date=_birth_date(_text(_standing(state, "birth_date"))),
        places=_places(_standing(state, "addresses")),
        phones=_normals(held, "phone", lambda normal: normal[-SUFFIX:]),
        mailboxes=_normals(held, "email", lambda normal: normal.partition("@")[0]),
        identifiers=tuple(Identifier(one.type, one.key, one.verified) for one in held),
    )


def _standing(state: ProfileState, field: str) -> Any:
    """The winning value: manual before verified before priority before latest. None if no value is left."""
    candidates = [candidate for candidate in state.fields.get(field, ()) if not _erased(candidate.value)]
    return max(candidates, key=_rank).value if candidates else None


def _rank(candidate: FieldCandidate) -> Rank:
    return ranked(candidate.manual, candidate.verified, candidate.priority, candidate.occurred_at, candidate.event_id)


def _erased(value: Any) -> bool:
    return value is ERASED or value == {"erased": True}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _kind(stated: str, name: Mapping[str, Any]) -> Kind | None:
    """A kind that is not stated follows from the name: one with a legal form is a company's."""
    if stated in ("person", "company", "household"):
        return cast(Kind, stated)
    display = _text(name.get("display"))
    if _text(name.get("family")) or _text(name.get("given")):
        return "person"
    if not display:
        return None
    return "company" if company_name(display).looks_like_company else "person"


def _person(name: Mapping[str, Any]) -> PersonName:
    return person_name(_text(name.get("display")), _text(name.get("family")), _text(name.get("given")))


def _company(name: Mapping[str, Any]) -> CompanyName:
    parts = (_text(name.get("family")), _text(name.get("given")))
    return company_name(_text(name.get("display")) or " ".join(filter(None, parts)))


def _birth_date(stated: str) -> str:
    """Eight digits: those of a date that does not exist (a slip of the pen) are compared too."""
    digits = normalise_birth_date(stated).normal.replace("-", "")
    return digits if len(digits) == _DATE_DIGITS and digits.isascii() and digits.isdigit() else ""


def _places(value: Any) -> tuple[Place, ...]:
    stated = value if isinstance(value, list | tuple) else ()
    places = (_place(_mapping(address)) for address in stated[:MOST_PLACES])
    return tuple(dict.fromkeys(place for place in places if place is not None))


def _place(address: Mapping[str, Any]) -> Place | None:
    found = postal_address(**{part: _text(address.get(part)) for part in _PARTS})
    if found.empty:
        return None
    return Place(found.country, found.region, found.city, found.district, found.street, found.number, found.postcode)


def _normals(held: Iterable[HeldIdentifier], type_: str, shortened: Callable[[str], str]) -> tuple[str, ...]:
    normals = (shortened(_text(identifier.normal)) for identifier in held if identifier.type == type_)
    return tuple(sorted({normal for normal in normals if normal}))
