"""A ranking: everybody is valued at one instant, under the same rules, and what that says of the whole."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict
from datetime import date
from typing import Any, Final

import orjson

from rapport_scoring.domain.customer import CustomerFacts
from rapport_scoring.domain.health import CustomerSummary, MonthSales, cohorts, health
from rapport_scoring.domain.ledger.lines import LedgerLine, Part
from rapport_scoring.domain.rules import Rules
from rapport_scoring.domain.standing import Standing, amount_of, at_end_of
from rapport_scoring.domain.valuation import Valuation
from rapport_scoring.runs.base import Progress, everybody
from rapport_scoring.store import runs
from rapport_scoring.store.runs import Valued
from rapport_shared.contracts.money import Amount
from rapport_shared.contracts.scoring import Stage
from rapport_shared.database import Database

MOST: Final = 2**63 - 1


async def rank(database: Database, rules: Rules, on: date, progress: Progress) -> dict[str, Any]:
    """Values everybody at the end of the day `on`, as `as_of` of a value does; answers health and cohorts."""
    summaries: list[CustomerSummary] = []
    async with database.transaction() as connection:
        await runs.clear_valuations(connection, progress.run_id)
    found: list[Valued] = []
    async for page in everybody(database, progress):
        for facts in page:
            values, standing = at_end_of(on, facts, rules)
            found.append(ranked(facts, rules, values, standing))
            summary = summary_of(facts, rules, values, standing.stage, on)
            summaries += [summary] if summary is not None else []
            await asyncio.sleep(0)
        async with database.transaction() as connection:
            await runs.keep_valuations(connection, progress.run_id, found)
        found = []
    return {
        "valued_on": on.isoformat(),
        "currency": rules.value.rates.reporting,
        "parameter_version": rules.versions.parameters,
        "policy_version": rules.versions.value,
        "customers": progress.done,
        "health": [plain(one) for one in health(summaries, on)],
        "cohorts": [plain(one) for one in cohorts(summaries, on)],
    }


def ranked(facts: CustomerFacts, rules: Rules, values: Valuation, standing: Standing) -> Valued:
    """What a ranking keeps of a customer: its values in the reporting currency, at the rates of the day."""

    def reported(amount: Amount | None) -> int | None:
        return None if amount is None else _bounded(rules.value.rates.convert([amount], values.on).amount)

    outlook = values.outlook
    total = amount_of(values.total)
    return Valued(
        customer_id=facts.customer_id,
        unit=facts.unit or "",
        total=_bounded(total.amount) if total is not None else None,
        contemporary=_bounded(values.last_90_days.amount),
        potential=reported(outlook.potential.value),
        model=reported(outlook.model.value),
        summary=orjson.dumps({"tier": standing.tier.tier, "stage": standing.stage.value}).decode(),
    )


def _bounded(amount: int | None) -> int | None:
    """An amount as the database can keep and rank it: there is no more than 2⁶³ − 1 of anything."""
    return None if amount is None else max(-MOST, min(amount, MOST))


def summary_of(facts: CustomerFacts, rules: Rules, values: Valuation, stage: Stage, on: date) -> CustomerSummary | None:
    """A customer in short, for health and cohorts; None for one that never bought."""
    days = [purchase.day for purchase in values.purchases]
    if not days:
        return None
    orders: defaultdict[date, int] = defaultdict(int)
    for day in days:
        orders[day.replace(day=1)] += 1
    months = sorted({line.day.replace(day=1) for line in values.ledger.lines} | orders.keys())
    by_month: defaultdict[date, list[LedgerLine]] = defaultdict(list)
    for line in values.ledger.lines:
        by_month[line.day.replace(day=1)].append(line)
    sales = tuple(MonthSales(month, orders[month], *_flows(by_month[month], rules, on)) for month in months)
    return CustomerSummary(facts.unit, min(days), max(days), stage is Stage.LAPSED, sales)


def _flows(lines: Iterable[LedgerLine], rules: Rules, on: date) -> tuple[int, int]:
    """Revenue and all costs (≥ 0) of some lines in the reporting currency; what has no rate is left out."""
    revenue, cost = 0, 0
    for line in lines:
        amount = rules.value.rates.convert([Amount(amount=line.amount, currency=line.currency)], on).amount or 0
        revenue += amount if line.part is Part.REVENUE else 0
        cost -= amount if line.part is not Part.REVENUE else 0
    return revenue, max(0, cost)


def plain(one: Any) -> Any:
    """A dataclass as plain JSON values."""
    return orjson.loads(orjson.dumps(asdict(one)))
