"""What an assessment looks at: one customer at one instant, computed once and passed on."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from rapport_scoring.domain.customer import CustomerFacts
from rapport_scoring.domain.memory import Memory
from rapport_scoring.domain.rules import Rules
from rapport_scoring.domain.standing import Standing, standing_of
from rapport_scoring.domain.valuation import Valuation, valuation


@dataclass(frozen=True, slots=True)
class Situation:
    """A customer at `instant`, on the day `today`: its facts, what they are worth, and what was decided before."""

    facts: CustomerFacts
    rules: Rules
    instant: datetime
    today: date
    values: Valuation
    standing: Standing
    memory: Memory


def situation_of(facts: CustomerFacts, rules: Rules, memory: Memory, instant: datetime, today: date) -> Situation:
    """The situation of a customer of whom something is known."""
    values = valuation(facts, rules, today)
    standing = standing_of(facts, rules, values, instant, today)
    return Situation(facts, rules, instant, today, values, standing, memory)


def midnight(day: date) -> datetime:
    """The instant at which a day begins, in UTC."""
    return datetime.combine(day, time.min, UTC)
