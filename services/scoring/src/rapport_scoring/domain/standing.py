"""Where a customer stands: its indicators, stage and tier, and what it may need next."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from rapport_scoring.domain.dynamics.stages import Run
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
from rapport_scoring.domain.state import CustomerState
from rapport_scoring.domain.sums import CATEGORY, each
from rapport_scoring.domain.valuation import Valuation
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


def standing_of(state: CustomerState, rules: Rules, values: Valuation, instant: datetime, today: date) -> Standing:
    """Where a customer stands at `instant`, in the day `today`."""
    found = indicators_of(state, rules, values, instant, today)
    run, stages = Run.of(state.figures.bought_on, today, rules.tier.stages), rules.tier.stages
    figure = {"last_90_days": values.last_90_days, "lifetime": values.lifetime, "total": values.total}[
        rules.tier.measure
    ]
    return Standing(
        indicators=found,
        stage=run.stage(today, stages),
        stage_since=run.since(today, stages),
        stage_until=run.next_change(today, stages),
        tier=decide_tier(rules.tier, figure, found),
        total=amount_of(values.total),
        suggestions=tuple(_published(one) for one in _suggested(state, rules, values, today)),
    )


def indicators_of(
    state: CustomerState, rules: Rules, values: Valuation, instant: datetime, today: date
) -> tuple[Indicator, ...]:
    """All indicators of the four classes."""
    figures = state.figures
    return (
        *transaction_indicators(figures, today),
        *finance_indicators(figures, values.receivables, today),
        *contact_indicators(figures, state.answers, state.cases, instant, today, rules.value.contacts),
        *attribute_indicators(state.attributes, figures, state.wallets, rules.value.rates, today),
    )


def amount_of(converted: Converted) -> Amount | None:
    """A converted sum as it is published."""
    return None if converted.amount is None else Amount(amount=converted.amount, currency=converted.currency)


def _suggested(state: CustomerState, rules: Rules, values: Valuation, today: date) -> Iterable[Suggested]:
    policy, baskets = rules.value.suggestions, rules.baskets.get(values.outlook.group or "")
    own = {name for name, count in each(state.figures.ever, CATEGORY) if count}
    peers = peer_suggestions(baskets, own, policy) if baskets is not None else []
    services = service_suggestions(state.asset_events, today, policy)
    return suggestions(services, rival_suggestions(state.wallets, rules.value.rates, today), peers, policy)


def _published(suggestion: Suggested) -> Suggestion:
    counts = {name: str(value) for name, value in suggestion.figures}
    due = {"due_on": suggestion.due_on.isoformat()} if suggestion.due_on else {}
    return Suggestion(
        kind=suggestion.need.value,
        what=suggestion.subject,
        name=suggestion.name,
        counts=counts | due,
        events=suggestion.events[:MOST_EVENTS],
    )
