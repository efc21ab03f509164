"""A customer's past: its facts at the end of a day, with the ledger lines and purchases that the sums are made of."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from rapport_scoring.domain.customer import CustomerFacts
from rapport_scoring.domain.ledger.documents import counting, standing
from rapport_scoring.domain.ledger.purchases import Purchase, purchases
from rapport_scoring.domain.ledger.reckoning import Ledger, ledger_of, reckon
from rapport_scoring.domain.rules import Rules
from rapport_scoring.domain.standing import Standing, standing_of
from rapport_scoring.domain.state import CustomerState, state_of
from rapport_scoring.domain.valuation import Valuation, valuation


@dataclass(frozen=True, slots=True)
class History:
    """What a customer's facts come to at the end of a day. It costs as much as there are facts."""

    facts: CustomerFacts
    state: CustomerState
    values: Valuation
    standing: Standing
    ledger: Ledger
    purchases: tuple[Purchase, ...]


def history_of(facts: CustomerFacts, rules: Rules, on: date) -> History:
    """The history of a customer up to the end of the day `on`: the same for whoever asks."""
    policy = rules.value.ledger
    counted = counting(standing(facts.statements), on)
    state = state_of(facts, rules.value, on)
    values = valuation(state, rules, on)
    found = standing_of(state, rules, values, datetime.combine(on, datetime.max.time(), state.zone), on)
    own = facts.own
    book = ledger_of(
        counted,
        policy,
        contacts=[contact for contact in facts.contacts if contact.day <= on],
        asset_events=[event for event in facts.asset_events if event.day <= on],
        valued_on=on + timedelta(days=1),
        own=own,
    )
    made = purchases(reckon(counted, policy).lines, counted)
    return History(facts, state, values, found, book, tuple(one for one in made if one.profile_id in own))
