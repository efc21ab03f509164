"""Why a customer's values are what they are: the rule, the figures, and the newest events behind them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from pydantic import BaseModel

from rapport_scoring.domain.dynamics.tiers import Check, Finding
from rapport_scoring.domain.ledger.lines import LedgerLine, Part
from rapport_scoring.domain.memory import memory_of
from rapport_scoring.domain.rates import Converted
from rapport_scoring.domain.standing import Standing
from rapport_scoring.domain.valuation import WINDOW, Valuation
from rapport_scoring.queries import Known, known_customer, line_answer, present_standing
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
class Case:
    """A customer, and what its facts give under the rules in force."""

    known: Known
    values: Valuation
    standing: Standing

    @property
    def lately(self) -> list[LedgerLine]:
        """The lines of the ninety days that end with the day of valuation."""
        on = self.values.on
        return [line for line in self.values.ledger.lines if on - WINDOW < line.day <= on]


async def explain_value(database: Database, rules: RulesInForce, customer_id: UUID, field: str) -> Explanation:
    """The explanation of a field. Raises a 422 for a field that has none, a 404 where nothing is known."""
    known = await known_customer(database, rules, customer_id, None)
    case = Case(known, *present_standing(known, None))
    area, _, name = field.partition(".")
    if area == "segments" and name:
        found = await _segment(database, case, name)
    elif area == "value" and name in _EXPLAINED:
        found = _EXPLAINED[name](case)
    elif area == "value" and name.removeprefix("contemporary.") in PARTS and name.startswith("contemporary."):
        found = _part(case, name.removeprefix("contemporary."))
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
        valued_on=case.values.on,
        as_of=known.facts.latest,
    )


def _tier(case: Case) -> Why:
    policy, decision = case.known.rules.tier, case.standing.tier
    lines = {"last_90_days": case.lately, "lifetime": case.values.ledger.lines, "total": case.lately}[policy.measure]
    rule = {
        "policy": "tier",
        "version": case.known.rules.versions.tier,
        "measure": policy.measure,
        "otherwise": policy.otherwise,
        "met": _check(decision.rule),
        "next": _check(decision.next),
    }
    return _of_lines(case.standing.tier_state, rule, _converted("figure", decision.figure), lines)


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


def _stage(case: Case) -> Why:
    days = sorted({purchase.day for purchase in case.values.purchases})
    figures = {
        "purchase_days": len(days),
        "first_on": _plain(days[0] if days else None),
        "last_on": _plain(days[-1] if days else None),
        "until": _plain(case.standing.stage_until),
    }
    rules = case.known.rules
    rule = {"policy": "tier", "version": rules.versions.tier, "thresholds": _plain(rules.tier.stages)}
    return Why(case.standing.stage_state, rule, figures, *_purchases(case))


def _potential(case: Case) -> Why:
    stated = _plain(case.values.outlook.potential)
    return Why(stated.pop("value"), _value_rule(case, "forecast"), stated, *_purchases(case))


def _model(case: Case) -> Why:
    stated = _plain(case.values.outlook.model)
    wallets = sorted(case.known.facts.wallets, key=lambda one: (one.occurred_at, one.event_id), reverse=True)
    events = list(dict.fromkeys(one.event_id for one in wallets))
    return Why(stated.pop("value"), _value_rule(case, "model"), stated, events, len(events))


def _total(case: Case) -> Why:
    outlook = case.values.outlook
    figures = {
        **_converted("last_90_days", case.values.last_90_days),
        "potential": _plain(outlook.potential.value),
        "model": _plain(outlook.model.value),
        "currencies_without_rate": list(case.values.total.gaps),
    }
    return _of_lines(case.standing.total, _value_rule(case), figures, case.lately)


def _contemporary(case: Case) -> Why:
    sums = case.values.contemporary
    value = {"lifetime": sums.lifetime, "last_90_days": sums.last_90_days}
    figures = {"lifetime_parts": _plain(sums.lifetime_parts), "last_90_days_parts": _plain(sums.last_90_days_parts)}
    return _of_lines(value, _value_rule(case, "ledger"), figures, case.values.ledger.lines)


def _part(case: Case, part: str) -> Why:
    sums = case.values.contemporary
    value = {
        "lifetime": sums.lifetime_parts.get(part, ()),
        "last_90_days": sums.last_90_days_parts.get(part, ()),
    }
    lines = [line for line in case.values.ledger.lines if line.part.value == part]
    figures = {"lines": len(lines), "estimated_lines": sum(line.estimated for line in lines)}
    return _of_lines(value, _value_rule(case, "ledger"), figures, lines)


def _alarms(case: Case) -> Why:
    rules, memory = case.known.rules, memory_of(case.known.row.memory)
    rule = {
        "policy": "trigger",
        "version": rules.versions.trigger,
        "thresholds": {
            **_plain(rules.trigger.silence),
            "effect_horizon_hours": rules.trigger.effect_horizon_hours,
        },
    }
    potential = case.values.outlook.potential
    figures = {"alive": potential.alive, "last_purchase_on": _plain(_last_day(case))}
    alarms = [_plain(alarm) for alarm in memory.alarm_states]
    return Why(alarms, rule, figures, *_purchases(case))


async def _segment(database: Database, case: Case, name: str) -> Why:
    policy = await active_version(database, PolicyPlace("segment", name))
    if not policy.document:
        place = FieldProblem("/query/field", "not_allowed", "There is no such segment in force.")
        raise Problem(VALIDATION, "There is no such field.", errors=[place])
    since = memory_of(case.known.row.memory).segments.get(name)
    rule = {"policy": "segment", "version": policy.version, "thresholds": policy.document}
    return Why(since is not None, rule, {"since": _plain(since), "indicators": case.standing.indicator_values})


def _last_day(case: Case) -> Any:
    return case.values.purchases[-1].day if case.values.purchases else None


def _value_rule(case: Case, chapter: str | None = None) -> dict[str, Any]:
    rules = case.known.rules
    rule = {"policy": "value", "version": rules.versions.value, "parameter_version": rules.versions.parameters}
    return rule if chapter is None else {**rule, "thresholds": _plain(getattr(rules.value, chapter))}


def _of_lines(value: Any, rule: Mapping[str, Any], figures: Mapping[str, Any], lines: Sequence[LedgerLine]) -> Why:
    newest = sorted(lines, key=lambda line: line.moment, reverse=True)
    events = list(dict.fromkeys(line.event_id for line in newest))
    return Why(value, rule, figures, events, len(events), newest[:SHOWN])


def _purchases(case: Case) -> tuple[list[UUID], int]:
    events = list(dict.fromkeys(purchase.event_id for purchase in reversed(case.values.purchases)))
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


_EXPLAINED: Final[Mapping[str, Callable[[Case], Why]]] = {
    "tier": _tier,
    "stage": _stage,
    "potential": _potential,
    "model": _model,
    "total": _total,
    "contemporary": _contemporary,
    "alarms": _alarms,
}
