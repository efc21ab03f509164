"""The conditions of a segment, as a policy writes them in JSON or YAML."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from rapport_scoring.domain.segments.catalogue import AGES, FIELDS, KNOWN, VOCABULARY, Kind, kind_of
from rapport_scoring.domain.segments.durations import Duration
from rapport_scoring.domain.segments.operands import Operators, Scalar, Where, Written, refusal


class Read(Operators):
    """A reading as it stands, compared. An unknown value makes it false, save for `missing`."""

    reading: str
    is_: Annotated[Scalar | None, Field(alias="is")] = None
    in_: Annotated[tuple[Scalar, ...] | None, Field(alias="in", min_length=1, max_length=1000)] = None
    under: Annotated[str, Field(pattern=r"^[^/]+(/[^/]+)*$", max_length=200)] | None = None
    exists: Literal[True] | None = None
    missing: Literal[True] | None = None

    @model_validator(mode="after")
    def _fits(self) -> "Read":
        kind = kind_of(self.reading)
        if kind is None:
            raise refusal(f"There is no reading `{self.reading}`", "reading")
        for name in self.operators("is_", "in_", "under", *sorted(self.NUMERIC), "exists", "missing"):
            if name not in _ALLOWED[kind]:
                raise refusal(f"`{self.reading}` is a {kind}, which has no `{name.rstrip('_')}`", name.rstrip("_"))
        self._fits_values(kind, "is", () if self.is_ is None else (self.is_,))
        self._fits_values(kind, "in", self.in_ or ())
        return self

    def _fits_values(self, kind: Kind, name: str, values: tuple[Any, ...]) -> None:
        for value in values:
            if type(value) not in _TYPES[kind]:
                raise refusal(f"`{self.reading}` is a {kind}, with which this cannot be compared", name)
            if value not in KNOWN.get(self.reading, (value,)):
                raise refusal(f"There is no {self.reading} {value}", name)


_TYPES: Final[Mapping[Kind, tuple[type, ...]]] = {
    Kind.NUMBER: (int, float),
    Kind.TEXT: (str,),
    Kind.PATH: (str,),
    Kind.FLAG: (bool,),
}
_KNOWN: Final = frozenset({"exists", "missing"})
_ALLOWED: Final[Mapping[Kind, frozenset[str]]] = {
    Kind.NUMBER: Operators.NUMERIC | {"is_", "in_"} | _KNOWN,
    Kind.TEXT: frozenset({"is_", "in_"}) | _KNOWN,
    Kind.PATH: frozenset({"is_", "in_", "under"}) | _KNOWN,
    Kind.FLAG: frozenset({"is_"}),
}


class Age(Written):
    """For how long something has been so; false while that is unknown."""

    age: str
    at_least: Duration | None = None
    less_than: Duration | None = None
    exists: Literal[True] | None = None
    missing: Literal[True] | None = None

    @model_validator(mode="after")
    def _fits(self) -> "Age":
        if self.age not in AGES:
            raise refusal(f"`{self.age}` has no age; {' and '.join(sorted(AGES))} have", "age")
        if all(asked is None for asked in (self.at_least, self.less_than, self.exists, self.missing)):
            raise refusal("Say what is asked of it: at_least, less_than, exists, missing")
        return self


class _OfFacts(Written):
    where: Where = Field(default_factory=dict)

    def check_where(self, stream: str) -> None:
        """Raises a ValidationError for a field that the facts of the stream have not, or a value it never has."""
        for name, values in self.where.items():
            if name not in FIELDS[stream]:
                raise refusal(f"{stream} have no {name}; they have {', '.join(sorted(FIELDS[stream]))}", "where", name)
            unknown = set(values) - VOCABULARY.get((stream, name), set(values))
            if unknown:
                raise refusal(f"There is no {name} {', '.join(sorted(unknown))}", "where", name)


Stream = Literal["contacts", "purchases", "answers", "tickets"]


class Window(_OfFacts, Operators):
    """A figure of the facts of the time up to now: those later than now − `within`, of all time without it.

    A purchase is of the midnight with which its day begins in the customer's unit; every other fact is of its instant.
    The count and the sum of no facts is 0, their least and greatest is unknown. A sum with a fact whose amount is
    unknown is unknown.
    """

    count: Stream | None = None
    sum: Literal["purchases.revenue", "contacts.seconds"] | None = None
    min: Literal["answers.score"] | None = None
    max: Literal["answers.score"] | None = None
    within: Duration | None = None

    @property
    def figure(self) -> tuple[str, str, str]:
        """What is figured, the stream, and the field (empty for a count)."""
        name = next(name for name in ("count", "sum", "min", "max") if getattr(self, name) is not None)
        stream, _, field = getattr(self, name).partition(".")
        return name, stream, field

    @model_validator(mode="after")
    def _fits(self) -> "Window":
        self.check_where(self.figure[1])
        self.operators(*sorted(self.NUMERIC))
        return self


class Absent(_OfFacts):
    """Nothing happened for so long.

    `among` says to whom it can apply: `everybody`; those known for `as_long`; those that it `ever` happened to.
    """

    absent: Stream
    for_: Annotated[Duration, Field(alias="for")]
    among: Literal["everybody", "as_long", "ever"] = "everybody"

    @model_validator(mode="after")
    def _fits(self) -> "Absent":
        self.check_where(self.absent)
        return self


def _some(conditions: Any) -> Any:
    if not conditions:
        raise PydanticCustomError("no_condition", "Name a condition: none at all would hold of everybody, or of nobody")
    return conditions


class All(Written):
    """Every one of them."""

    all: Annotated[tuple["Condition", ...], AfterValidator(_some)]


class AnyOf(Written):
    """At least one of them."""

    any: Annotated[tuple["Condition", ...], AfterValidator(_some)]


class Not(Written):
    """Not so. Truth has two values: of a customer for whom a condition is false because a value is unknown, the
    contrary is true. `{not: {reading: tier, is: gold}}` takes those without a tier, `less_than` only who has a value.
    """

    not_: Annotated["Condition", Field(alias="not")]


_MODELS: Final[Mapping[str, type[Written]]] = {
    "all": All,
    "any": AnyOf,
    "not": Not,
    "reading": Read,
    "age": Age,
    "count": Window,
    "sum": Window,
    "min": Window,
    "max": Window,
    "absent": Absent,
}


def _condition(written: Any) -> Any:
    if isinstance(written, Written):
        return written
    found = [key for key in written if key in _MODELS] if isinstance(written, Mapping) else []
    if len(found) != 1:
        raise PydanticCustomError("condition", "A condition has one of: " + ", ".join(_MODELS))
    return _MODELS[found[0]].model_validate(written)


Condition: TypeAlias = Annotated[All | AnyOf | Not | Read | Age | Window | Absent, BeforeValidator(_condition)]

All.model_rebuild()
AnyOf.model_rebuild()
Not.model_rebuild()
