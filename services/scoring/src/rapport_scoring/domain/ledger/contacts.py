"""What contacts with a customer, and work on its assets, cost the firm."""

from collections.abc import Iterable, Iterator

from rapport_scoring.domain.facts import AssetEvent, Contact
from rapport_scoring.domain.ledger.lines import LedgerLine, Part, divided, line_of
from rapport_scoring.domain.ledger.policy import LedgerPolicy


def contact_costs(contacts: Iterable[Contact], policy: LedgerPolicy) -> Iterator[LedgerLine]:
    """The cost of each contact as its channel stated it, else estimated by the time it took."""
    for contact in contacts:
        cost = contact.cost
        if cost is not None:
            yield line_of(contact, Part.CONTACT_COST, contact.channel, -cost.amount, cost.currency)
            continue
        rate = policy.rate_of(contact.channel)
        amount = divided(contact.seconds * rate.amount, 3600)
        yield line_of(contact, Part.CONTACT_COST, contact.channel, -amount, rate.currency, estimated=True)


def warranty_costs(asset_events: Iterable[AssetEvent]) -> Iterator[LedgerLine]:
    """The cost of work on assets that we bore."""
    for event in asset_events:
        if event.cost_to_us is not None:
            cost = event.cost_to_us
            yield line_of(event, Part.WARRANTY, event.happened, -cost.amount, cost.currency)
