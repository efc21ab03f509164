"""The results of trying a policy of the customer service."""

from uuid import UUID

from pydantic import BaseModel


class MatchedPairs(BaseModel):
    """The number of pairs that the tried policy would treat differently, with examples."""

    pairs: int
    examples: list[tuple[UUID, UUID]]


class MatchingTrialResult(BaseModel):
    """How many pairs a matching policy would join, show for a decision, and leave apart."""

    pairs: int
    complete: bool
    outcomes: dict[str, int]
    would_join: MatchedPairs
    would_not_join: MatchedPairs


class RefusedValues(BaseModel):
    """How many values of a field would be refused for one reason."""

    field: str
    code: str
    values: int


class TriedValues(BaseModel):
    """The recorded values that were examined, and those that would be refused."""

    examined: int
    complete: bool
    values: int
    refused: int
    reasons: list[RefusedValues]


class FieldsTrialResult(BaseModel):
    """The recorded values that a declaration of fields would refuse."""

    profiles: TriedValues
    assets: TriedValues
