"""What the scoring service publishes."""

from datetime import datetime
from uuid import UUID

from rapport_shared.contracts.model import Contract
from rapport_shared.contracts.money import Amount


class ContemporaryValue(Contract):
    """Contemporary value per currency: Σ of the ledger lines of the window."""

    lifetime: tuple[Amount, ...]
    lifetime_parts: dict[str, tuple[Amount, ...]]


class ScoreUpdated(Contract):
    """A customer's value, recomputed. A replay of the facts that `facts_digest` names gives the same score.

    `as_of` is the greatest event time among the facts; `profiles` the composition of the customer;
    `lines` counts the ledger lines that add up to the value.
    """

    customer_id: UUID
    as_of: datetime
    policy_version: int
    parameter_version: int
    profiles: tuple[UUID, ...]
    contemporary: ContemporaryValue
    lines: int
    facts_digest: str


class CustomerValueState(Contract):
    """Compacted: a customer's present value; `moved_to` for a customer that was merged away."""

    customer_id: UUID
    version: int
    score: ScoreUpdated | None = None
    moved_to: UUID | None = None


class ValueParametersState(Contract):
    """Compacted, keyed by version: the parameters that a score of that version was computed with."""

    version: int
    valid_from: datetime
    handling_cost_per_order: tuple[Amount, ...] = ()
    missing_cost_share: str
