"""What trying a policy of the customer service answers."""

from uuid import UUID

from pydantic import BaseModel


class MatchedPairs(BaseModel):
    """Pairs of profiles that the tried policy treats otherwise than they are now, and some of them."""

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
    """What a declaration of fields would refuse of what is recorded."""

    profiles: TriedValues
    assets: TriedValues
