"""The weights of the matcher: the probability of each level for pairs of one party and for other pairs.

m is the share of a level among pairs that are one party, u among pairs that are not; a level counts log2(m/u) bits.
Source: Fellegi & Sunter, "A theory for record linkage", JASA 64 (1969).
"""

from functools import cached_property
from itertools import accumulate
from math import isclose, log2
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, model_validator
from pydantic import Field as Constraint

from rapport_customer.domain.matching.guards import ALL, Guard
from rapport_customer.domain.matching.levels import FIELDS, Field

Share = Annotated[float, Constraint(gt=0, lt=1)]
Document = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Shares(BaseModel):
    """The shares of the levels of one field; they sum to 1."""

    model_config = Document

    exact: Share
    very_close: Share
    close: Share
    disagree: Share

    @model_validator(mode="after")
    def _sum_to_one(self) -> "Shares":
        if not isclose(sum(self.by_level), 1, abs_tol=1e-3):
            raise ValueError(
                f"the shares of exact, very_close, close and disagree sum to {sum(self.by_level):g}, not 1"
            )
        return self

    @property
    def by_level(self) -> tuple[float, float, float, float]:
        """Disagree, close, very close, exact."""
        return self.disagree, self.close, self.very_close, self.exact


class FieldWeights(BaseModel):
    """What the levels of a field say: `m` among pairs that are one party, `u` among others."""

    model_config = Document

    m: Shares
    u: Shares

    @property
    def bits(self) -> tuple[float, ...]:
        """The weight of each level, of a missing value first: 0. A level never says more than a nearer one."""
        bits = [log2(m / u) for m, u in zip(self.m.by_level, self.u.by_level, strict=True)]
        return (0.0, *reversed(list(accumulate(reversed(bits), min))))


def _field(m: tuple[float, float, float], u: tuple[float, float, float]) -> FieldWeights:
    return FieldWeights(m=_shares(*m), u=_shares(*u))


def _shares(exact: float, very_close: float, close: float) -> Shares:
    return Shares(exact=exact, very_close=very_close, close=close, disagree=1 - exact - very_close - close)


SHIPPED_FIELDS: Final = {
    Field.FAMILY: _field((0.90, 0.05, 0.02), (0.01, 0.002, 0.01)),
    Field.GIVEN: _field((0.85, 0.06, 0.04), (0.004, 0.002, 0.01)),
    Field.NAME: _field((0.85, 0.08, 0.04), (0.00001, 0.00002, 0.001)),
    Field.BIRTH_DATE: _field((0.93, 0.04, 0.01), (0.00005, 0.001, 0.003)),
    Field.STREET: _field((0.70, 0.10, 0.03), (0.004, 0.001, 0.01)),
    Field.NUMBER: _field((0.70, 0.05, 0.05), (0.02, 0.005, 0.08)),
    Field.DISTRICT: _field((0.75, 0.08, 0.03), (0.08, 0.005, 0.02)),
    Field.CITY: _field((0.83, 0.06, 0.02), (0.15, 0.002, 0.01)),
    Field.POSTCODE: _field((0.80, 0.05, 0.001), (0.01, 0.01, 0.001)),
    Field.REGION: _field((0.92, 0.01, 0.01), (0.3, 0.001, 0.02)),
    Field.PHONE: _field((0.55, 0.02, 0.001), (0.0005, 0.00005, 0.0001)),
    Field.EMAIL: _field((0.50, 0.06, 0.001), (0.0002, 0.0005, 0.0001)),
    Field.ACCOUNT: _field((0.97, 0.01, 0.01), (0.0005, 0.01, 0.01)),
}
"""Estimates for a base of consumers, conservative where fields come together (the parts of an address do).

Birth dates: some 20,000 days are alive. Names: the commonest Chinese surname is had by 7 of 100, most by far fewer;
`common` makes up for that. A phone or a mailbox may be a family's, so it counts as much as a rare name and no more.
"""

SHIPPED_COMMON: Final = {
    "family": {
        "wang": 0.072, "li": 0.076, "zhang": 0.073, "liu": 0.054, "chen": 0.046, "yang": 0.034, "zhao": 0.023,
        "huang": 0.024, "zhou": 0.021, "wu": 0.023, "xu": 0.022, "sun": 0.015, "hu": 0.014, "zhu": 0.014, "gao": 0.012,
        "lin": 0.012, "he": 0.019, "guo": 0.012, "ma": 0.011, "luo": 0.011,
    },
    "given": {
        "wei": 0.013, "jing": 0.009, "li": 0.011, "min": 0.008, "jun": 0.009, "lei": 0.006, "yan": 0.010, "yong": 0.006,
        "tao": 0.006, "qiang": 0.006, "jie": 0.009, "ping": 0.007, "hui": 0.008, "ying": 0.008, "hong": 0.007,
    },
}  # fmt: skip
"""Shares of names that are commoner than u says, of surnames and of given names as they sound.

Source: reports on names in the whole country of the Ministry of Public Security of China, 2019 to 2021; homophones
are added up.
"""


class CommonNames(BaseModel):
    """Shares of names that are common; agreeing in one counts less."""

    model_config = Document

    family: dict[str, Share] = Constraint(default_factory=dict)
    given: dict[str, Share] = Constraint(default_factory=dict)


class Weights(BaseModel):
    """The weights of a matching policy. A document names only what differs from the shipped weights.

    Weights are in bits, the prior among them: `prior` is log2 of the odds that two profiles that were never compared
    are one (one duplicate in a base of a million: -20). `moved` is the least that an address can come to: who moves
    house changes all parts of it at once. At or above `upper` a pair is joined, between `lower` and
    `upper` it is a candidate for review, below it is nothing.
    """

    model_config = Document

    prior: Annotated[float, Constraint(ge=-60, le=0)] = -20.0
    moved: Annotated[float, Constraint(le=0)] = -4.0
    upper: float = 8.0
    lower: float = -1.0
    fields: dict[Field, FieldWeights] = Constraint(default_factory=dict, validate_default=True)
    common: CommonNames = CommonNames.model_validate(SHIPPED_COMMON)
    guards: tuple[Guard, ...] = ALL

    @model_validator(mode="before")
    @classmethod
    def _with_shipped_fields(cls, document: object) -> object:
        if isinstance(document, dict):
            stated = document.get("fields") or {}
            if isinstance(stated, dict):
                return {**document, "fields": {**{field.value: SHIPPED_FIELDS[field] for field in FIELDS}, **stated}}
        return document

    @model_validator(mode="after")
    def _in_order(self) -> "Weights":
        if self.lower >= self.upper:
            raise ValueError(f"lower ({self.lower:g}) must be below upper ({self.upper:g})")
        if Guard.KIND not in self.guards:
            raise ValueError("the guard kind cannot be taken out: a company never is a person")
        return self

    @cached_property
    def table(self) -> tuple[tuple[float, ...], ...]:
        """The bits of each level of each field."""
        return tuple(self.fields[field].bits for field in FIELDS)

    @cached_property
    def discounts(self) -> tuple[dict[str, float], dict[str, float]]:
        """The bits, below 0, that agreeing in a common family name, and given name, takes away."""
        return (
            _discounts(self.common.family, self.fields[Field.FAMILY].u.exact),
            _discounts(self.common.given, self.fields[Field.GIVEN].u.exact),
        )


def _discounts(shares: dict[str, float], average: float) -> dict[str, float]:
    return {name: log2(average / share) for name, share in shares.items() if share > average}
