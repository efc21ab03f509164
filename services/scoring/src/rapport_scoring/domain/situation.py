"""What an assessment looks at: one customer at one instant, computed once and passed on."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, tzinfo

from rapport_scoring.domain.memory import Memory
from rapport_scoring.domain.rules import Rules
from rapport_scoring.domain.standing import Standing, standing_of
from rapport_scoring.domain.state import CustomerState
from rapport_scoring.domain.valuation import Valuation, valuation


@dataclass(frozen=True, slots=True)
class Situation:
    """A customer at `instant`, on the day `today`: its state, what that is worth, and what was decided before.

    Decisions start from `memory`; events are the difference to `published`, the memory after the last assessment. The
    two are different once profiles have left the customer.
    """

    state: CustomerState
    rules: Rules
    instant: datetime
    today: date
    values: Valuation
    standing: Standing
    memory: Memory
    published: Memory


def situation_of(state: CustomerState, rules: Rules, published: Memory, instant: datetime, today: date) -> Situation:
    """The situation of a customer of whom something is known."""
    values = valuation(state, rules, today)
    standing = standing_of(state, rules, values, instant, today)
    return Situation(state, rules, instant, today, values, standing, published.of(state.profiles), published)


def midnight(day: date, zone: tzinfo) -> datetime:
    """The instant at which a day begins in a zone."""
    return datetime.combine(day, time.min, zone).astimezone(UTC)
