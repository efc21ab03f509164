"""The `fields` policy: the document in which a deployment declares its own fields and its own touchpoint kinds."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, TypeAlias

import orjson
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationInfo, field_validator, model_validator

from rapport_shared.contracts.touchpoints import MODEL_OF
from rapport_shared.own_fields.schemas import check_personal, check_schema
from rapport_shared.own_fields.values import Limits, Value, boundary, value_fault

PROFILE_KIND: Final = "profile.reported"
ASSET_KINDS: Final = frozenset({"asset.delivered", "asset.serviced", "asset.transferred"})
MAX_DOCUMENT_BYTES: Final = 256 * 1024
"""An event carries the document, and may have 512 KiB."""

DEFAULT_LENGTH: Final = 200
MAX_CHARACTERS: Final = 60_000
"""An event of a profile, an asset or a ticket carries all of its fields, and may have 512 KiB."""
READING: Final = {"reading": True}
"""Validation context of a document that its owner has taken: a later release may know kinds that this one does not."""

FieldType: TypeAlias = Literal["text", "integer", "decimal", "boolean", "date", "instant", "option", "options"]
Name = Annotated[str, StringConstraints(max_length=60, pattern=r"^[a-z][a-z0-9_]*$")]
Code = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f]*\S[^\x00-\x1f]*$")]
Label = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f]*\S[^\x00-\x1f]*$")]
Kind = Annotated[str, StringConstraints(min_length=1, max_length=100)]
OwnKindName = Annotated[str, StringConstraints(max_length=100, pattern=r"^custom\.[a-z][a-z0-9_]*(\.[a-z0-9_]+)*$")]
Pointer = Annotated[str, StringConstraints(max_length=500, pattern=r"^(/[^/]+)+$")]

_LOOKED_UP: Final = frozenset({"text", "integer", "date"})
"""Types of which a value may be somebody's own; an option is everybody's."""


class Declaration(BaseModel):
    """A part of the document: fields that it does not know are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, serialize_by_alias=True)


class Labels(Declaration):
    """What people call it."""

    en: Label
    zh: Label


class WhenField(Declaration):
    """Required where another field of the same thing has this value."""

    field: Name
    equals: bool | int | str


class WhenKind(Declaration):
    """Required where the thing is of this kind: of a touchpoint or a ticket its kind, of a profile person, company or
    household, of an asset its type."""

    kind: Kind


RequiredWhen: TypeAlias = Literal["always"] | WhenField | WhenKind


class OwnField(Declaration):
    """A field of the deployment's own.

    `length` is of texts, in characters; `minimum` and `maximum` are of integers, decimals, dates and instants, in the
    form of a value. `personal` where it says something of a person. `lookup`: customers are found by it.
    """

    type: FieldType
    labels: Labels
    options: Annotated[Mapping[Code, Labels], Field(max_length=500)] | None = None
    personal: bool = True
    required_when: RequiredWhen | None = None
    length: Annotated[int, Field(ge=1, le=10_000)] | None = None
    minimum: int | str | None = None
    maximum: int | str | None = None
    lookup: bool = False

    @property
    def limits(self) -> Limits:
        """What values of it must keep to."""
        return Limits(
            self.length or DEFAULT_LENGTH,
            boundary(self.type, self.minimum),
            boundary(self.type, self.maximum),
            self.codes,
        )

    @property
    def codes(self) -> frozenset[str]:
        """The codes of its options."""
        return frozenset(self.options or ())

    @model_validator(mode="after")
    def _sound(self) -> "OwnField":
        if (self.options is None) == (self.type in ("option", "options")) or self.options == {}:
            raise ValueError("options are given for the types option and options, and for these alone")
        if self.length is not None and self.type != "text":
            raise ValueError("length is a limit of texts")
        limits = self.limits
        if limits.minimum is not None and limits.maximum is not None and limits.minimum > limits.maximum:
            raise ValueError("minimum is above maximum")
        if self.lookup and self.type not in _LOOKED_UP:
            raise ValueError(f"nobody is looked up by a field of type {self.type}")
        return self


class KindField(OwnField):
    """A field of touchpoints or tickets: of those of `kinds`, or of all."""

    kinds: Annotated[tuple[Kind, ...], Field(min_length=1, max_length=100)] | None = None


class OwnKind(Declaration):
    """A touchpoint kind of the deployment's own. `data` follow `schema` (JSON Schema 2020-12).

    `personal` are JSON pointers of those of its properties that say something of a person.
    """

    labels: Labels
    data_schema: Annotated[dict[str, Any], Field(alias="schema")]
    personal: Annotated[tuple[Pointer, ...], Field(max_length=200)] = ()

    @field_validator("data_schema")
    @classmethod
    def _bounded(cls, schema: dict[str, Any]) -> dict[str, Any]:
        check_schema(schema)
        return schema

    @model_validator(mode="after")
    def _known_properties(self) -> "OwnKind":
        check_personal(self.data_schema, self.personal)
        return self


Fields = Annotated[Mapping[Name, OwnField], Field(max_length=200)]
KindFields = Annotated[Mapping[Name, KindField], Field(max_length=200)]


class FieldsPolicy(Declaration):
    """What a deployment declares. A part that is left out stays as it is without the policy: touchpoints may carry
    any attributes and be of any kind `custom.<name>`; profiles, assets and tickets have none of their own."""

    profiles: Fields | None = None
    assets: Fields | None = None
    touchpoints: KindFields | None = None
    tickets: KindFields | None = None
    kinds: Annotated[Mapping[OwnKindName, OwnKind], Field(max_length=100)] | None = None

    @model_validator(mode="before")
    @classmethod
    def _bounded(cls, document: Any) -> Any:
        try:
            text = orjson.dumps(document)
        except (TypeError, RecursionError):
            raise ValueError("it must hold JSON values alone, under names that are texts") from None
        if len(text) > MAX_DOCUMENT_BYTES:
            raise ValueError("the document may have 256 KiB")
        return orjson.loads(text)  # what YAML takes for a date is a text again

    @model_validator(mode="after")
    def _sound(self, info: ValidationInfo) -> "FieldsPolicy":
        for part in ("profiles", "assets", "touchpoints", "tickets"):
            fields = getattr(self, part) or {}
            _check_conditions(part, fields)
            if sum(field.limits.length for field in fields.values() if field.type == "text") > MAX_CHARACTERS:
                raise ValueError(f"the lengths of all texts of {part} may come to {MAX_CHARACTERS} characters")
        for name, field in (self.touchpoints or {}).items():
            for kind in field.kinds or ():
                known = kind in MODEL_OF or kind in (self.kinds or {}) or info.context is READING
                if not known:
                    raise ValueError(f"touchpoints.{name} is of a kind that is neither built in nor declared")
            self._check_names(name, field)
        return self

    def _check_names(self, name: str, field: KindField) -> None:
        """A report of a profile or an asset carries both its own attributes and the touchpoint's, in one place."""
        kinds = frozenset(field.kinds) if field.kinds else None
        for part, met in (("profiles", frozenset({PROFILE_KIND})), ("assets", ASSET_KINDS)):
            if name in (getattr(self, part) or {}) and (kinds is None or kinds & met):
                raise ValueError(f"touchpoints.{name} and {part}.{name} would meet in one touchpoint")


def _check_conditions(part: str, fields: Mapping[str, OwnField]) -> None:
    for name, field in fields.items():
        condition = field.required_when
        if not isinstance(condition, WhenField):
            continue
        other = fields.get(condition.field)
        if other is None or condition.field == name:
            raise ValueError(f"{part}.{name} depends on a field that is not declared beside it")
        if value_fault(other.type, other.limits, _as_value(other.type, condition.equals)) is not None:
            raise ValueError(f"{part}.{name} depends on a value that {condition.field} cannot have")


def _as_value(type_: FieldType, value: Value) -> Value:
    return [value] if type_ == "options" else value
