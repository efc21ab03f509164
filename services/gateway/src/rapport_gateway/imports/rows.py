"""A row of a sheet as touchpoints, in the shape in which any channel reports them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from rapport_gateway.imports.columns import DECIMAL, SCIENTIFIC, Bound, Table
from rapport_gateway.imports.dates import has_short_year
from rapport_gateway.imports.findings import Reason
from rapport_gateway.imports.limits import MAX_CELL_CHARACTERS
from rapport_gateway.imports.mapping import IDENTIFIERS, NUMBERS
from rapport_gateway.imports.own_columns import as_value
from rapport_gateway.imports.sheets import NumberText, is_exact
from rapport_shared.contracts.ids import derived_id
from rapport_shared.normalisation import normalise_identifier

_YES: Final = frozenset({"yes", "y", "true", "1", "x", "是", "同意", "有", "given", "opt-in", "ja", "✓", "√"})
_NO: Final = frozenset({"no", "n", "false", "0", "否", "不同意", "无", "withdrawn", "opt-out", "nein"})
_KINDS: Final = {
    **dict.fromkeys(("person", "individual", "private", "个人", "自然人"), "person"),
    **dict.fromkeys(("company", "organisation", "organization", "business", "公司", "企业", "单位"), "company"),
    **dict.fromkeys(("household", "family", "家庭"), "household"),
}
_PLACES: Final[dict[str, tuple[str, ...]]] = {
    "name": ("name", "display"),
    "family_name": ("name", "family"),
    "given_name": ("name", "given"),
    "address": ("addresses", "0", "raw"),
    "address_region": ("addresses", "0", "region"),
    **{part: ("addresses", "0", part) for part in ("country", "city", "district", "street", "postcode")},
    **{plain: (plain,) for plain in ("kind", "birth_date", "language", "industry", "size", "region")},
}
"""The place of a field in `data`."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What is alike in all touchpoints of an import. `digest` names file, mapping and terms (hex)."""

    digest: str
    system: str
    channel: str
    unit: str | None
    historical: bool
    as_of: datetime
    zone: ZoneInfo
    phone_region: str | None


@dataclass(slots=True)
class Draft:
    """The touchpoints of a row, why it is refused if it is, and what else to know of it."""

    items: list[dict[str, Any]]
    refused: list[Reason] = field(default_factory=list)
    noted: list[Reason] = field(default_factory=list)
    record: str | None = None
    pointers: dict[str, str] = field(default_factory=dict)

    def column_of(self, pointer: str) -> str | None:
        """The column that a JSON pointer into a touchpoint came from."""
        while pointer:
            if pointer in self.pointers:
                return self.pointers[pointer]
            pointer = pointer.rpartition("/")[0]
        return None


def draft(table: Table, terms: Terms, number: int, row: Sequence[str]) -> Draft:
    """The touchpoints of a row: its profile first, then its consents.

    Ids are made of the terms' digest and the row's number, so that the same row gives the same ids for ever.
    """
    made = Draft([])
    if _is_ragged(table, row):
        made.refused.append(Reason("ragged_rows"))
        return made
    profile: dict[str, Any] = {}
    envelope: dict[str, Any] = {
        "channel": terms.channel,
        "occurred_at": terms.as_of.isoformat(),
        "historical": terms.historical,
        "source": {"system": terms.system},
        **({"unit": terms.unit} if terms.unit else {}),
    }
    consents: list[tuple[int, bool, dict[str, Any]]] = []
    for bound in table.bound:
        text = _text(bound, row, made)
        if text:
            _put(bound, text, terms, envelope, profile, consents, made)
    if table.mapping and table.mapping.kind:
        profile.setdefault("kind", table.mapping.kind)
    made.items.append(_item(terms, number, "profile", "profile.reported", envelope, profile))
    for column, given, data in consents:
        kind = "consent.given" if given else "consent.withdrawn"
        shared = {name: value for name, value in envelope.items() if name != "attributes"}
        made.items.append(_item(terms, number, f"consent/{column}", kind, shared, data))
    return made


def _item(
    terms: Terms, number: int, part: str, kind: str, envelope: Mapping[str, Any], data: dict[str, Any]
) -> dict[str, Any]:
    return {"id": str(derived_id("import", terms.digest, number, part)), "kind": kind, **envelope, "data": data}


def _is_ragged(table: Table, row: Sequence[str]) -> bool:
    return len(row) < table.width or any(cell.strip() for cell in row[table.width :])


def _text(bound: Bound, row: Sequence[str], made: Draft) -> str:
    """The cell's text as it is imported; empty for one that is refused."""
    text = bound.cell(row)
    if len(text) > MAX_CELL_CHARACTERS:
        made.refused.append(Reason("too_long", bound.label))
        return ""
    if bound.column.field not in NUMBERS or not text:
        return text
    if SCIENTIFIC.fullmatch(text):
        made.refused.append(Reason("scientific_notation", bound.label))
        return ""
    if isinstance(text, NumberText) and not is_exact(text):
        made.refused.append(Reason("precision_lost", bound.label))
        return ""
    whole = DECIMAL.fullmatch(text)
    text = whole[1] if whole else str(text)
    if bound.column.pad_to is not None and text.isdecimal():
        text = text.zfill(bound.column.pad_to)
    return text


def _put(
    bound: Bound,
    text: str,
    terms: Terms,
    envelope: dict[str, Any],
    profile: dict[str, Any],
    consents: list[tuple[int, bool, dict[str, Any]]],
    made: Draft,
) -> None:
    """Puts a cell where it belongs."""
    column = bound.column
    if column.field in IDENTIFIERS:
        _put_identifiers(bound, text, terms, envelope, made)
        return
    match column.field:
        case "record":
            made.record = text
            envelope["source"]["record"] = text
            made.pointers["/source"] = bound.label
        case "relation":
            for each in _parts(bound, text):
                relations = profile.setdefault("relations", [])
                made.pointers[f"/data/relations/{len(relations)}"] = bound.label
                relations.append({"type": column.type, "to": {"system": column.system or terms.system, "record": each}})
        case "attribute":
            value = as_value(bound.own, text, bound.dates, terms.zone, column.separator) if bound.own else text
            envelope.setdefault("attributes", {})[column.name] = value
            made.pointers["/attributes"] = made.pointers[f"/attributes/{column.name}"] = bound.label
        case "consent":
            _put_consent(bound, text, consents, made)
        case "occurred_at":
            instant = bound.dates.instant(text, terms.zone)
            made.pointers["/occurred_at"] = bound.label
            if instant is None:
                made.refused.append(Reason("time_unreadable", bound.label))
            else:
                envelope["occurred_at"] = instant.isoformat()
        case "birth_date":
            _put_field(bound, _birth_date(bound, text, made), profile, made)
        case "kind":
            _put_field(bound, _KINDS.get(text.casefold(), text), profile, made)
        case _:
            _put_field(bound, text, profile, made)


def _put_field(bound: Bound, text: str, profile: dict[str, Any], made: Draft) -> None:
    place = _PLACES[bound.column.field]
    made.pointers["/data/" + "/".join(place)] = bound.label
    if place[0] == "addresses":
        profile.setdefault("addresses", [{}])[0][place[2]] = text
    elif len(place) == 2:
        profile.setdefault(place[0], {})[place[1]] = text
    else:
        profile[place[0]] = text


def _put_identifiers(bound: Bound, text: str, terms: Terms, envelope: dict[str, Any], made: Draft) -> None:
    column, identifiers = bound.column, envelope.setdefault("identifiers", [])
    region = column.phone_region or terms.phone_region if column.field == "phone" else None
    for each in _parts(bound, text):
        form = normalise_identifier(column.field, each, region, column.system)
        if not form.usable:
            known = column.field if column.field in ("phone", "email") else "identifier"
            made.noted.append(Reason(f"{known}_unreadable", bound.label))
        elif "not_in_plan" in form.flags:
            made.noted.append(Reason("phone_doubtful", bound.label))
        made.pointers[f"/identifiers/{len(identifiers)}"] = bound.label
        identifiers.append(
            {
                "type": column.field,
                "value": each,
                **({"region": region} if region else {}),
                **({"system": column.system} if column.system else {}),
                **({"verified": True} if column.verified else {}),
            }
        )


def _put_consent(bound: Bound, text: str, consents: list[tuple[int, bool, dict[str, Any]]], made: Draft) -> None:
    word = text.casefold()
    if word not in _YES and word not in _NO:
        made.refused.append(Reason("consent_unreadable", bound.label))
        return
    channel = {"channel": bound.column.channel} if bound.column.channel else {}
    consents.append((bound.number, word in _YES, {"purpose": bound.column.purpose, **channel}))


def _birth_date(bound: Bound, text: str, made: Draft) -> str:
    """The day in ISO 8601; what is no date stays as it is written, for it refuses nothing."""
    day = bound.dates.day(text)
    if day is not None:
        return day.isoformat()
    made.noted.append(Reason("two_digit_year" if has_short_year(text) else "date_unreadable", bound.label))
    return text


def _parts(bound: Bound, text: str) -> Iterator[str]:
    if bound.column.separator is None:
        yield text
        return
    yield from (part.strip() for part in text.split(bound.column.separator) if part.strip())
