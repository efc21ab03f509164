"""What the columns of a sheet hold: said by the caller, kept by name, or proposed from the header."""

import hashlib
from collections.abc import Iterable
from typing import Annotated, Final, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, model_validator

from rapport_gateway.imports.dates import Order, SerialDates
from rapport_shared.contracts.touchpoints.fields import Code, Region

RULES: Final = 1
"""Raised when rows become other touchpoints than before: their ids are then others, too."""

EncodingName = Literal["utf-8", "utf-16", "gb18030", "big5", "shift_jis", "euc-kr", "windows-1252", "iso-8859-1"]
FieldName = Literal[
    "record",
    "phone",
    "email",
    "card",
    "device",
    "social",
    "external",
    "name",
    "family_name",
    "given_name",
    "kind",
    "birth_date",
    "language",
    "industry",
    "size",
    "region",
    "address",
    "country",
    "address_region",
    "city",
    "district",
    "street",
    "postcode",
    "relation",
    "attribute",
    "consent",
    "occurred_at",
    "ignore",
]

IDENTIFIERS: Final = frozenset({"phone", "email", "card", "device", "social", "external"})
NUMBERS: Final = frozenset({"record", "phone", "card", "external", "relation", "postcode", "device", "social"})
"""Fields whose digits are a name, not a quantity."""
EXACT_NUMBERS: Final = NUMBERS - {"phone"}
"""Those in which a missing leading zero names somebody else, and nothing shows it."""
DATES: Final = frozenset({"birth_date", "occurred_at"})
_MANY: Final = IDENTIFIERS | {"relation", "attribute", "consent", "ignore"}
_ALLOWED: Final[dict[str, frozenset[str]]] = {
    "system": frozenset({"social", "external", "relation"}),
    "type": frozenset({"relation"}),
    "purpose": frozenset({"consent"}),
    "channel": frozenset({"consent"}),
    "name": frozenset({"attribute"}),
    "phone_region": frozenset({"phone"}),
    "verified": IDENTIFIERS,
    "separator": IDENTIFIERS | {"relation", "attribute"},
    "date_order": DATES | {"attribute"},
    "serial_dates": DATES | {"attribute"},
    "pad_to": NUMBERS,
    "as_written": NUMBERS,
}
_NEEDED: Final = {
    "social": ("system",),
    "external": ("system",),
    "relation": ("type",),
    "attribute": ("name",),
    "consent": ("purpose",),
}


class SheetColumn(BaseModel):
    """What a column holds. `column` is its header, or its number from 1."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    column: Annotated[str, Field(min_length=1, max_length=500)] | Annotated[int, Field(ge=1, strict=True)]
    field: FieldName
    system: Code | None = Field(default=None, description="Of a social account, an external record, or a relation.")
    type: Code | None = Field(default=None, description="Of a relation: employer, parent, household, …")
    purpose: Code | None = Field(default=None, description="What a consent is to.")
    channel: Code | None = Field(default=None, description="The one channel that a consent is for.")
    name: Code | None = Field(default=None, description="Of an attribute.")
    phone_region: Region | None = Field(default=None, description="Reads national numbers; by default the unit's.")
    verified: bool = Field(default=False, description="Counts only for types that the key may verify.")
    separator: Annotated[str, Field(min_length=1, max_length=3)] | None = Field(
        default=None, description="Where a cell holds several."
    )
    date_order: Order | None = Field(default=None, description="Decides how dates like 3/4/1985 are read.")
    serial_dates: SerialDates | None = Field(default=None, description="Decides that numbers are days since then.")
    pad_to: Annotated[int, Field(ge=1, le=64)] | None = Field(
        default=None, description="Restores lost leading zeros of digits, up to so many digits."
    )
    as_written: bool = Field(default=False, description="Decides that numbers of unlike length are right.")

    @model_validator(mode="after")
    def _belongs_together(self) -> "SheetColumn":
        for option, fields in _ALLOWED.items():
            if getattr(self, option) not in (None, False) and self.field not in fields:
                raise ValueError(f"{option} does not go with this field")
        for option in _NEEDED.get(self.field, ()):
            if getattr(self, option) is None:
                raise ValueError(f"{option} is required of this field")
        return self


class SheetMapping(BaseModel):
    """How a sheet is read, and what its columns hold. What is left out is found out, and reported."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "example": {
                "columns": [
                    {"column": "客户编号", "field": "record"},
                    {"column": "姓名", "field": "name"},
                    {"column": "手机", "field": "phone", "phone_region": "CN"},
                    {"column": "雇主编号", "field": "relation", "type": "employer", "system": "erp-companies"},
                    {"column": "短信营销", "field": "consent", "purpose": "marketing", "channel": "sms"},
                    {"column": "生日", "field": "birth_date", "date_order": "dmy"},
                ]
            }
        },
    )

    columns: Annotated[tuple[SheetColumn, ...], Field(min_length=1, max_length=200)]
    kind: Literal["person", "company", "household"] | None = Field(default=None, description="Of every row.")
    encoding: EncodingName | None = Field(default=None, description="Of a CSV file.")
    delimiter: Literal[",", ";", "\t", "|"] | None = Field(default=None, description="Of a CSV file.")
    sheet: Annotated[str, Field(min_length=1, max_length=100)] | None = Field(
        default=None, description="Of a workbook; by default the first."
    )
    header_row: Annotated[int, Field(ge=0, le=100)] = Field(
        default=1, description="The row that names the columns; 0 where none does, and columns go by number."
    )

    @model_validator(mode="after")
    def _room_for_all(self) -> "SheetMapping":
        singles = [column.field for column in self.columns if column.field not in _MANY]
        if len(singles) != len(set(singles)):
            raise ValueError("two columns are mapped to a field that has room for one")
        if len({column.column for column in self.columns}) != len(self.columns):
            raise ValueError("a column is mapped twice")
        return self

    def canonical(self) -> bytes:
        """The same bytes for the same mapping."""
        return orjson.dumps(self.model_dump(exclude_defaults=True), option=orjson.OPT_SORT_KEYS)


def work_digest(file_hash: bytes, mapping: SheetMapping, terms: Iterable[str | bool | None]) -> bytes:
    """The digest of an import: equal for the same file, mapping, and terms that each touchpoint contains.

    The ids of touchpoints are made of it, so that a repeat gives the same.
    """
    parts = orjson.dumps([RULES, file_hash.hex(), mapping.canonical().decode(), *terms])
    return hashlib.sha256(parts).digest()
