"""The segments of a customer at an instant: its readings, and what became of its memberships."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo

from rapport_scoring.domain.attention import Attention
from rapport_scoring.domain.dynamics.alarms import open_alarms
from rapport_scoring.domain.indicators import Indicator
from rapport_scoring.domain.ledger.purchases import Purchase
from rapport_scoring.domain.memory import Memory
from rapport_scoring.domain.rules import Rules
from rapport_scoring.domain.segments import (
    AnswerGiven,
    Cause,
    ContactMade,
    CustomerReadings,
    Kept,
    PurchaseMade,
    TicketOpened,
    refresh,
)
from rapport_scoring.domain.situation import Situation, midnight
from rapport_scoring.domain.standing import Standing
from rapport_scoring.domain.state import CustomerState
from rapport_scoring.domain.sums import OPEN_CASES, each
from rapport_scoring.domain.valuation import Valuation
from rapport_shared.contracts.money import Amount


@dataclass(frozen=True, slots=True)
class Membership:
    """The segments of a customer, each since when; which it entered and left, and why; what to keep until next time."""

    since: Mapping[str, datetime]
    entered: frozenset[str]
    left: frozenset[str]
    causes: Mapping[str, tuple[Cause, ...]]
    kept: Kept | None

    @property
    def due(self) -> tuple[datetime, ...]:
        """When time may move it."""
        return (self.kept.due,) if self.kept is not None and self.kept.due is not None else ()


def decide_membership(situation: Situation, attention: Attention) -> Membership:
    """The memberships of a customer. Where there are no segments, it costs nothing."""
    published, segments = situation.published, situation.rules.segments
    if not segments.roots:
        return no_membership(published)
    read = readings(situation, attention)
    found = refresh(segments, published.segments.keys(), published.kept, read, situation.instant)
    since = {name: situation.memory.segments.get(name, situation.instant) for name in sorted(found.segments)}
    return Membership(since, found.entered, found.left, found.causes, found.kept)


def no_membership(before: Memory) -> Membership:
    """What becomes of the memberships where there are none any more."""
    return Membership({}, frozenset(), frozenset(before.segments), {}, None)


def readings(situation: Situation, attention: Attention) -> CustomerReadings:
    """What segments can read of a customer."""
    state, rules, values, standing = situation.state, situation.rules, situation.values, situation.standing
    streams = state.streams
    alarms = open_alarms([*situation.memory.alarms, *attention.alarms.facts])
    read = {
        **_values(rules, values),
        "tier": standing.tier.tier,
        "stage": standing.stage.value,
        **dict(_indicators(standing.indicators)),
        **{f"attribute:{name}": one.value for name, one in state.attributes.items()},
        **({"attribute:unit": state.unit} if state.unit is not None else {}),
        **_tickets(state),
        **{f"alarm:{episode.kind}": True for episode in alarms},
        **{f"trigger:{state.trigger.value}": True for state in attention.triggers.states if state.active},
    }
    return CustomerReadings(
        values=read,
        since=_since(state, standing),
        contacts=[
            ContactMade(one.occurred_at, one.channel, one.kind, one.direction, one.seconds) for one in streams.contacts
        ],
        purchases=[_purchase(rules, state.zone, one) for one in streams.purchases],
        answers=[AnswerGiven(one.occurred_at, one.survey, one.score) for one in streams.answers],
        tickets=[TicketOpened(one.opened_at, one.kind) for one in streams.cases],
    )


def _values(rules: Rules, values: Valuation) -> dict[str, int | None]:
    def reported(amount: Amount | None) -> int | None:
        return None if amount is None else rules.value.rates.worth(amount.amount, amount.currency, values.on)

    return {
        "value:last_90_days": values.last_90_days.amount,
        "value:lifetime": values.lifetime.amount,
        "value:potential": reported(values.outlook.potential.value),
        "value:model": reported(values.outlook.model.value),
        "value:total": values.total.amount,
    }


def _indicators(found: Iterable[Indicator]) -> Iterator[tuple[str, int | float | str | None]]:
    """Numbers as numbers; of one that there are several of (currencies, channels) each by its subject."""
    for one in found:
        if one.value is not None:
            is_label = one.unit == "label" or isinstance(one.value, int)
            yield f"indicator:{one.key}", one.value if is_label else float(one.value)


def _tickets(state: CustomerState) -> dict[str, int]:
    open_ = dict(each(state.figures.ever, OPEN_CASES))
    return {"tickets:open": sum(open_.values()), **{f"tickets:open:{kind}": count for kind, count in open_.items()}}


def _since(state: CustomerState, standing: Standing) -> dict[str, datetime]:
    ages = {"customer": state.earliest} if state.earliest is not None else {}
    return ages | ({"stage": midnight(standing.stage_since, state.zone)} if standing.stage_since is not None else {})


def _purchase(rules: Rules, zone: tzinfo, purchase: Purchase) -> PurchaseMade:
    """A purchase counts from the beginning of its day on."""
    paid = rules.value.rates.worth(purchase.revenue, purchase.currency, purchase.day)
    return PurchaseMade(midnight(purchase.day, zone), paid, purchase.categories, purchase.skus)
