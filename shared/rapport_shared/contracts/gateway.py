"""What the gateway publishes: no facts, the present state of each customer."""

from datetime import datetime
from uuid import UUID

from rapport_shared.contracts.model import Contract
from rapport_shared.contracts.pii import Pii
from rapport_shared.contracts.view import CustomerSections


class CustomerViewState(Contract):
    """Compacted: a customer's unified view; `moved_to` for a customer that was merged away.

    A later state has a greater `(run, version)`.
    """

    customer_id: UUID
    run: int
    version: int
    as_of: datetime | None = None
    sections: Pii[CustomerSections] | None = None
    moved_to: UUID | None = None
