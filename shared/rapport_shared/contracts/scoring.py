"""What the scoring service publishes."""

from datetime import datetime
from uuid import UUID

from rapport_shared.contracts.model import Contract
from rapport_shared.contracts.money import Amount


class ContemporaryValue(Contract):
    """Contemporary value per currency: Σ of the ledger lines, in all and by part (costs are negative).

    `lifetime_estimated` is the share of it for which a policy stands in for a figure nobody stated.
    """

    lifetime: tuple[Amount, ...]
    lifetime_parts: dict[str, tuple[Amount, ...]]
    lifetime_estimated: tuple[Amount, ...] = ()


class ScoreUpdated(Contract):
    """A customer's value, recomputed. A replay of the facts that `facts_digest` names gives the same score.

    `as_of` is the greatest event time among the facts, None when no fact counts any more: that score says the same
    as none at all. `profiles` is the composition of the customer, empty when it was merged away; `lines` counts the
    ledger lines that add up to the value, `waiting` the documents that name another which has not come.
    """

    customer_id: UUID
    as_of: datetime | None
    policy_version: int
    parameter_version: int
    profiles: tuple[UUID, ...]
    contemporary: ContemporaryValue
    lines: int
    waiting: int = 0
    facts_digest: str


class CustomerValueState(Contract):
    """Compacted: a customer's present value; `moved_to`, and no score, for a customer that was merged away.

    `version` grows with every state of the customer.
    """

    customer_id: UUID
    version: int
    score: ScoreUpdated | None = None
    moved_to: UUID | None = None


class ValueParametersState(Contract):
    """Compacted, keyed by version: the parameters that a score of that version was computed with.

    `handling_cost_per_order` and `missing_cost_share` (a decimal string) stand for costs that nobody stated.
    """

    version: int
    valid_from: datetime
    handling_cost_per_order: tuple[Amount, ...] = ()
    missing_cost_share: str
