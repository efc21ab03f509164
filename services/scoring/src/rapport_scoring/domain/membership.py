"""The segments of a customer at an instant: its readings, and what became of its memberships."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from rapport_scoring.domain.attention import Attention
from rapport_scoring.domain.customer import CustomerFacts
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
    before, segments = situation.memory, situation.rules.segments
    if not segments.roots:
        return no_membership(before)
    read = readings(situation, attention)
    found = refresh(segments, before.segments.keys(), before.kept, read, situation.instant)
    since = {name: before.segments.get(name, situation.instant) for name in sorted(found.segments)}
    return Membership(since, found.entered, found.left, found.causes, found.kept)


def no_membership(before: Memory) -> Membership:
    """What becomes of the memberships where there are none any more."""
    return Membership({}, frozenset(), frozenset(before.segments), {}, None)


def readings(situation: Situation, attention: Attention) -> CustomerReadings:
    """What segments can read of a customer."""
    facts, rules, values, standing = situation.facts, situation.rules, situation.values, situation.standing
    alarms = open_alarms([*situation.memory.alarms, *attention.alarms.facts])
    read = {
        **_values(rules, values),
        "tier": standing.tier.tier,
        "stage": standing.stage.value,
        **dict(_indicators(standing.indicators)),
        **{f"attribute:{name}": one.value for name, one in facts.attributes.items()},
        **({"attribute:unit": facts.unit} if facts.unit is not None else {}),
        **_tickets(facts),
        **{f"alarm:{episode.kind}": True for episode in alarms},
        **{f"trigger:{state.trigger.value}": True for state in attention.triggers.states if state.active},
    }
    return CustomerReadings(
        values=read,
        since=_since(facts, standing),
        contacts=[
            ContactMade(one.occurred_at, one.channel, one.kind, one.direction, one.seconds) for one in facts.contacts
        ],
        purchases=[_purchase(rules, one) for one in values.purchases],
        answers=[AnswerGiven(one.occurred_at, one.survey, one.score) for one in facts.answers],
        tickets=[TicketOpened(one.opened_at, one.kind) for one in facts.cases],
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


def _tickets(facts: CustomerFacts) -> dict[str, int]:
    open_ = [case.kind for case in facts.cases if case.open]
    return {"tickets:open": len(open_), **{f"tickets:open:{kind}": open_.count(kind) for kind in set(open_)}}


def _since(facts: CustomerFacts, standing: Standing) -> dict[str, datetime]:
    ages = {"customer": facts.earliest} if facts.earliest is not None else {}
    return ages | ({"stage": midnight(standing.stage_since)} if standing.stage_since is not None else {})


def _purchase(rules: Rules, purchase: Purchase) -> PurchaseMade:
    """A purchase counts from the beginning of its day on, in UTC."""
    paid = rules.value.rates.worth(purchase.revenue, purchase.currency, purchase.day)
    return PurchaseMade(midnight(purchase.day), paid, purchase.categories, purchase.skus)
