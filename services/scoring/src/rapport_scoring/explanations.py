"""Why a customer's values are what they are: the rule, the figures, and the newest events behind them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from pydantic import BaseModel

from rapport_scoring.domain.dynamics.tiers import Check, Finding
from rapport_scoring.domain.history import History
from rapport_scoring.domain.ledger.lines import LedgerLine, Part
from rapport_scoring.domain.memory import memory_of
from rapport_scoring.domain.rates import Converted
from rapport_scoring.domain.standing import Standing
from rapport_scoring.domain.valuation import WINDOW, Valuation
from rapport_scoring.queries import Known, known_customer, line_answer, present_history
from rapport_scoring.rules_in_force import RulesInForce
from rapport_scoring.schemas.values import Explanation
from rapport_shared.database import Database
from rapport_shared.errors import VALIDATION, FieldProblem, Problem
from rapport_shared.policies import PolicyPlace, active_version

SHOWN: Final = 10
PARTS: Final = frozenset(part.value for part in Part)


@dataclass(frozen=True, slots=True)
class Why:
    """A value and what it follows from; `events` newest first, of `event_count`, and the newest ledger lines."""

    value: Any
    rule: Mapping[str, Any]
    figures: Mapping[str, Any]
    events: Sequence[UUID] = ()
    event_count: int = 0
    lines: Sequence[LedgerLine] = ()


@dataclass(frozen=True, slots=True)
class Explained:
    """A customer, and what its facts give under the rules in force."""

    known: Known
    history: History

    @property
    def values(self) -> Valuation:
        """What the customer is worth."""
        return self.history.values

    @property
    def standing(self) -> Standing:
        """Where the customer stands."""
        return self.history.standing

    @property
    def lately(self) -> list[LedgerLine]:
        """The lines of the ninety days that end with the day of valuation."""
        on = self.values.on
        return [line for line in self.history.ledger.lines if on - WINDOW < line.day <= on]


async def explain_value(database: Database, rules: RulesInForce, customer_id: UUID, field: str) -> Explanation:
    """The explanation of a field. Raises a 422 for a field that has none, a 404 where nothing is known."""
    known = await known_customer(database, rules, customer_id, None)
    explained = Explained(known, present_history(known, None))
    area, _, name = field.partition(".")
    if area == "segments" and name:
        found = await _segment(database, explained, name)
    elif area == "value" and name in _EXPLAINED:
        found = _EXPLAINED[name](explained)
    elif area == "value" and name.removeprefix("contemporary.") in PARTS and name.startswith("contemporary."):
        found = _part(explained, name.removeprefix("contemporary."))
    else:
        place = FieldProblem("/query/field", "not_allowed", "It is not a field that can be explained.")
        raise Problem(VALIDATION, "There is no such field.", errors=[place])
    return Explanation(
        field=field,
        value=_plain(found.value),
        rule=dict(found.rule),
        figures=dict(found.figures),
        events=list(found.events)[:SHOWN],
        event_count=found.event_count,
        lines=[line_answer(line) for line in found.lines],
        valued_on=explained.values.on,
        as_of=known.facts.latest,
    )


def _tier(explained: Explained) -> Why:
    policy, decision = explained.known.rules.tier, explained.standing.tier
    lines = {"last_90_days": explained.lately, "lifetime": explained.history.ledger.lines, "total": explained.lately}[
        policy.measure
    ]
    rule = {
        "policy": "tier",
        "version": explained.known.rules.versions.tier,
        "measure": policy.measure,
        "otherwise": policy.otherwise,
        "met": _check(decision.rule),
        "next": _check(decision.next),
    }
    return _of_lines(explained.standing.tier_state, rule, _converted("figure", decision.figure), lines)


def _check(check: Check | None) -> dict[str, Any] | None:
    if check is None:
        return None
    return {
        "tier": check.tier.name,
        "at_least": check.tier.at_least,
        "short": check.short,
        "conditions": [_finding(finding) for finding in check.findings],
    }


def _finding(finding: Finding) -> dict[str, Any]:
    readings = [
        {"subject": one.subject, "value": None if one.value is None else str(one.value), "missing": one.missing}
        for one in finding.indicators
    ]
    return {**finding.condition.model_dump(mode="json"), "holds": finding.holds, "readings": readings}


def _stage(explained: Explained) -> Why:
    days = sorted({purchase.day for purchase in explained.history.purchases})
    figures = {
        "purchase_days": len(days),
        "first_on": _plain(days[0] if days else None),
        "last_on": _plain(days[-1] if days else None),
        "until": _plain(explained.standing.stage_until),
    }
    rules = explained.known.rules
    rule = {"policy": "tier", "version": rules.versions.tier, "thresholds": _plain(rules.tier.stages)}
    return Why(explained.standing.stage_state, rule, figures, *_purchases(explained))


def _potential(explained: Explained) -> Why:
    stated = _plain(explained.values.outlook.potential)
    return Why(stated.pop("value"), _value_rule(explained, "forecast"), stated, *_purchases(explained))


def _model(explained: Explained) -> Why:
    stated = _plain(explained.values.outlook.model)
    wallets = sorted(explained.known.facts.wallets, key=lambda one: (one.occurred_at, one.event_id), reverse=True)
    events = list(dict.fromkeys(one.event_id for one in wallets))
    return Why(stated.pop("value"), _value_rule(explained, "model"), stated, events, len(events))


def _total(explained: Explained) -> Why:
    outlook = explained.values.outlook
    figures = {
        **_converted("last_90_days", explained.values.last_90_days),
        "potential": _plain(outlook.potential.value),
        "model": _plain(outlook.model.value),
        "currencies_without_rate": list(explained.values.total.gaps),
    }
    return _of_lines(explained.standing.total, _value_rule(explained), figures, explained.lately)


def _contemporary(explained: Explained) -> Why:
    sums = explained.values.contemporary
    value = {"lifetime": sums.lifetime, "last_90_days": sums.last_90_days}
    figures = {"lifetime_parts": _plain(sums.lifetime_parts), "last_90_days_parts": _plain(sums.last_90_days_parts)}
    return _of_lines(value, _value_rule(explained, "ledger"), figures, explained.history.ledger.lines)


def _part(explained: Explained, part: str) -> Why:
    sums = explained.values.contemporary
    value = {
        "lifetime": sums.lifetime_parts.get(part, ()),
        "last_90_days": sums.last_90_days_parts.get(part, ()),
    }
    lines = [line for line in explained.history.ledger.lines if line.part.value == part]
    figures = {"lines": len(lines), "estimated_lines": sum(line.estimated for line in lines)}
    return _of_lines(value, _value_rule(explained, "ledger"), figures, lines)


def _alarms(explained: Explained) -> Why:
    rules, memory = explained.known.rules, memory_of(explained.known.row.memory)
    rule = {
        "policy": "trigger",
        "version": rules.versions.trigger,
        "thresholds": {
            **_plain(rules.trigger.silence),
            "effect_horizon_hours": rules.trigger.effect_horizon_hours,
        },
    }
    potential = explained.values.outlook.potential
    figures = {"alive": potential.alive, "last_purchase_on": _plain(_last_day(explained))}
    alarms = [_plain(alarm) for alarm in memory.alarm_states]
    return Why(alarms, rule, figures, *_purchases(explained))


async def _segment(database: Database, explained: Explained, name: str) -> Why:
    policy = await active_version(database, PolicyPlace("segment", name))
    if not policy.document:
        place = FieldProblem("/query/field", "not_allowed", "There is no such segment in force.")
        raise Problem(VALIDATION, "There is no such field.", errors=[place])
    since = memory_of(explained.known.row.memory).segments.get(name)
    rule = {"policy": "segment", "version": policy.version, "thresholds": policy.document}
    return Why(since is not None, rule, {"since": _plain(since), "indicators": explained.standing.indicator_values})


def _last_day(explained: Explained) -> Any:
    return explained.history.purchases[-1].day if explained.history.purchases else None


def _value_rule(explained: Explained, chapter: str | None = None) -> dict[str, Any]:
    rules = explained.known.rules
    rule = {"policy": "value", "version": rules.versions.value, "parameter_version": rules.versions.parameters}
    return rule if chapter is None else {**rule, "thresholds": _plain(getattr(rules.value, chapter))}


def _of_lines(value: Any, rule: Mapping[str, Any], figures: Mapping[str, Any], lines: Sequence[LedgerLine]) -> Why:
    newest = sorted(lines, key=lambda line: line.moment, reverse=True)
    events = list(dict.fromkeys(line.event_id for line in newest))
    return Why(value, rule, figures, events, len(events), newest[:SHOWN])


def _purchases(explained: Explained) -> tuple[list[UUID], int]:
    events = list(dict.fromkeys(purchase.event_id for purchase in reversed(explained.history.purchases)))
    return events, len(events)


def _converted(name: str, sum_: Converted) -> dict[str, Any]:
    amount = None if sum_.amount is None else {"amount": sum_.amount, "currency": sum_.currency}
    return {name: amount, "currencies_without_rate": list(sum_.gaps)}


def _plain(value: Any) -> Any:
    """A value as JSON has it."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, str):
        return [_plain(one) for one in value]
    return value.isoformat() if hasattr(value, "isoformat") else value


_EXPLAINED: Final[Mapping[str, Callable[[Explained], Why]]] = {
    "tier": _tier,
    "stage": _stage,
    "potential": _potential,
    "model": _model,
    "total": _total,
    "contemporary": _contemporary,
    "alarms": _alarms,
}
