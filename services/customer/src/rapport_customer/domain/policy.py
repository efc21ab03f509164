"""The `matching` policy: the rules of identifiers, the order of sources, and the weights and thresholds."""

from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from rapport_customer.domain.matching import Weights
from rapport_shared.contracts.interaction import ATTRIBUTION_ORDER, IdentifierType, RecordedIdentifier
from rapport_shared.normalisation import normalise_identifier

Value = Annotated[str, StringConstraints(min_length=1, max_length=320)]
System = Annotated[str, StringConstraints(min_length=1, max_length=200)]
ANY: Final = "*"


class IdentifierRule(BaseModel):
    """What identifiers of one type prove.

    `proves`: two registered customers that both proved to hold it are one. `unverified_counts`: stating it is proof
    enough. `limit`: of how many a customer may have for that. `blocked`: values that lead nowhere, for they are
    nobody's own (switchboards, extensions); an e-mail address may end in `@*` for a local part at any domain.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    proves: bool = True
    unverified_counts: bool = False
    limit: Annotated[int, Field(ge=1, le=1000)] = 10
    blocked: Annotated[tuple[Value, ...], Field(max_length=10_000)] = ()


class MatchingPolicy(BaseModel):
    """How Rapport decides that two records are one party."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    order: tuple[IdentifierType, ...] = ATTRIBUTION_ORDER
    identifiers: Mapping[IdentifierType, IdentifierRule] = Field(default_factory=dict)
    sources: Annotated[Mapping[System, Annotated[int, Field(ge=-1000, le=1000)]], Field(max_length=1000)] = Field(
        default_factory=dict
    )
    weights: Weights = Field(default_factory=Weights)

    def rule(self, type_: IdentifierType) -> IdentifierRule:
        """The rule of a type: what the policy says, else what is shipped."""
        return self.identifiers.get(type_) or SHIPPED[type_]

    def priority(self, system: str) -> int:
        """The priority of a source; 0 for a source that the policy does not name."""
        return self.sources.get(system, 0)

    def blocks(self, identifier: RecordedIdentifier) -> bool:
        """Whether a pattern blocks an identifier. Values blocked in full are blocked by their routes instead."""
        if identifier.type is not IdentifierType.EMAIL or not isinstance(identifier.normal, str):
            return False
        local = identifier.normal.partition("@")[0]
        return f"{local}@{ANY}" in self.rule(IdentifierType.EMAIL).blocked

    def blocked_values(self) -> set[tuple[IdentifierType, str]]:
        """The normal forms of values that are blocked in full."""
        return {
            (type_, normalise_identifier(type_, value).normal)
            for type_ in BLOCKABLE
            for value in self.rule(type_).blocked
            if not value.endswith(f"@{ANY}")
        }


BLOCKABLE: Final = (IdentifierType.PHONE, IdentifierType.EMAIL, IdentifierType.CARD)
"""Types whose values can be blocked; records and accounts of a system are mended in that system."""

SHIPPED: Final[Mapping[IdentifierType, IdentifierRule]] = {
    IdentifierType.EXTERNAL: IdentifierRule(unverified_counts=True, limit=100),
    IdentifierType.CARD: IdentifierRule(limit=20),
    IdentifierType.PHONE: IdentifierRule(),
    IdentifierType.EMAIL: IdentifierRule(),
    IdentifierType.SOCIAL: IdentifierRule(limit=20),
    IdentifierType.DEVICE: IdentifierRule(proves=False),
}
"""The shipped rule of a type. Stating an external identifier is proof; all other types need verification."""
