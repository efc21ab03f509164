"""Where a customer stands: its indicators, stage and tier, and what it may need next."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime

from rapport_scoring.domain.customer import CustomerFacts
from rapport_scoring.domain.dynamics.stages import next_stage_day, stage, stage_since
from rapport_scoring.domain.dynamics.tiers import TierDecision, decide_tier
from rapport_scoring.domain.indicators import (
    Indicator,
    attribute_indicators,
    contact_indicators,
    finance_indicators,
    transaction_indicators,
)
from rapport_scoring.domain.needs.suggestions import (
    Suggestion as Suggested,
)
from rapport_scoring.domain.needs.suggestions import (
    peer_suggestions,
    rival_suggestions,
    service_suggestions,
    suggestions,
)
from rapport_scoring.domain.rates import Converted
from rapport_scoring.domain.rules import Rules
from rapport_scoring.domain.valuation import Valuation, valuation
from rapport_shared.contracts.money import Amount
from rapport_shared.contracts.scoring import Stage, StageState, Suggestion, TierState

MOST_EVENTS = 5
"""Of a suggestion, so many of the newest events are published."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a customer stands at an instant. `stage_until` is the day on which time alone changes the stage."""

    indicators: tuple[Indicator, ...]
    stage: Stage
    stage_since: date | None
    stage_until: date | None
    tier: TierDecision
    total: Amount | None
    suggestions: tuple[Suggestion, ...]

    @property
    def indicator_values(self) -> dict[str, str]:
        """The indicators that have a value, by name and, where several have one name, subject."""
        return {one.key: str(one.value) for one in self.indicators if one.value is not None}

    @property
    def stage_state(self) -> StageState:
        """The stage as it is published."""
        return StageState(name=self.stage.value, since=self.stage_since)

    @property
    def tier_state(self) -> TierState:
        """The tier as it is published."""
        figure, better = self.tier.figure, self.tier.next
        return TierState(
            name=self.tier.tier,
            measure=self.tier.measure,
            figure=amount_of(figure),
            next=better.tier.name if better else None,
            missing=Amount(amount=better.short, currency=figure.currency) if better else None,
        )


def standing_of(facts: CustomerFacts, rules: Rules, values: Valuation, instant: datetime, today: date) -> Standing:
    """Where a customer stands at `instant`, in the day `today`."""
    found = indicators_of(facts, rules, values, instant, today)
    days = [purchase.day for purchase in values.purchases]
    figure = {"last_90_days": values.last_90_days, "lifetime": values.lifetime, "total": values.total}[
        rules.tier.measure
    ]
    return Standing(
        indicators=found,
        stage=stage(days, today, rules.tier.stages),
        stage_since=stage_since(days, today, rules.tier.stages),
        stage_until=next_stage_day(days, today, rules.tier.stages),
        tier=decide_tier(rules.tier, figure, found),
        total=amount_of(values.total),
        suggestions=tuple(_published(one) for one in _suggested(facts, rules, values, today)),
    )


def at_end_of(day: date, facts: CustomerFacts, rules: Rules) -> tuple[Valuation, Standing]:
    """The values of a customer at the end of a day, and where it stands then: the same for whoever asks."""
    values = valuation(facts, rules, day)
    return values, standing_of(facts, rules, values, datetime.combine(day, datetime.max.time(), UTC), day)


def indicators_of(
    facts: CustomerFacts, rules: Rules, values: Valuation, instant: datetime, today: date
) -> tuple[Indicator, ...]:
    """All indicators of the four classes."""
    return (
        *transaction_indicators(values.purchases, today),
        *finance_indicators(values.ledger.receivables, values.purchases, today),
        *contact_indicators(facts.contacts, facts.answers, facts.cases, instant, today, rules.value.contacts),
        *attribute_indicators(
            facts.attributes, values.purchases, facts.contacts, facts.wallets, rules.value.rates, today
        ),
    )


def amount_of(converted: Converted) -> Amount | None:
    """A converted sum as it is published."""
    return None if converted.amount is None else Amount(amount=converted.amount, currency=converted.currency)


def _suggested(facts: CustomerFacts, rules: Rules, values: Valuation, today: date) -> Iterable[Suggested]:
    policy, baskets = rules.value.suggestions, rules.baskets.get(values.outlook.group or "")
    own = {name for purchase in values.purchases for name in purchase.categories}
    peers = peer_suggestions(baskets, own, policy) if baskets is not None else []
    services = service_suggestions(facts.asset_events, today, policy)
    return suggestions(services, rival_suggestions(facts.wallets, rules.value.rates, today), peers, policy)


def _published(suggestion: Suggested) -> Suggestion:
    counts = {name: str(value) for name, value in suggestion.figures}
    due = {"due_on": suggestion.due_on.isoformat()} if suggestion.due_on else {}
    return Suggestion(
        kind=suggestion.need.value, what=suggestion.subject, counts=counts | due, events=suggestion.events[:MOST_EVENTS]
    )
