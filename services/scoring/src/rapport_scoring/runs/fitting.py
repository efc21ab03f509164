"""A refit: the forecast's parameters and what peers buy, learnt from everybody, as a new version."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import date, datetime, timedelta
from typing import Any, Final

import orjson

from rapport_scoring.commands.runs import ask
from rapport_scoring.domain.forecast import (
    MONTH,
    FittedParameters,
    GroupParameters,
    Member,
    PurchaseHistory,
    refit,
    standing_statements,
)
from rapport_scoring.domain.forecast.parameters import MODEL
from rapport_scoring.domain.history import History, history_of
from rapport_scoring.domain.ledger.lines import Part
from rapport_scoring.domain.needs.suggestions import PeerBaskets
from rapport_scoring.domain.outlook import own_sales, peer_group
from rapport_scoring.domain.rules import Rules
from rapport_scoring.runs.base import Progress, everybody
from rapport_scoring.store import parameters, runs
from rapport_shared.clock import Clock
from rapport_shared.contracts.catalogue import VALUE_PARAMETERS_STATE
from rapport_shared.contracts.codec import encode_state
from rapport_shared.contracts.money import Amount
from rapport_shared.contracts.scoring import ForecastParameters, ValueParametersState
from rapport_shared.contracts.ticket import LOST, WON, TicketKind
from rapport_shared.database import Connection, Database
from rapport_shared.messaging import outbox

BASKET_MONTHS: Final = 12


async def ask_after_upgrade(database: Database, clock: Clock) -> None:
    """Asks for a fit where the newest is of an earlier release's model; until it is done what ships is in force."""
    async with database.transaction() as connection:
        document = orjson.loads((await parameters.newest(connection))["document"])
        fitted = "parameters" in document and FittedParameters.from_json(document["parameters"])
        if fitted is None and not await runs.is_waiting(connection, "fit"):
            await ask(connection, "fit", {}, "upgrade", clock)


async def fit(database: Database, rules: Rules, until: date, now: datetime, progress: Progress) -> dict[str, Any]:
    """Learns from everybody's facts dated up to the day `until`; adds a version, and publishes it."""
    members: list[Member] = []
    baskets = Baskets(until)
    async for page in everybody(database, progress):
        for facts in page:
            history = history_of(facts, rules, until)
            baskets.take(history)
            member = member_of(history, rules, until)
            members += [member] if member is not None else []
            await asyncio.sleep(0)
    policy = rules.value
    fitted = await asyncio.to_thread(refit, members, until, policy.forecast, policy.model)
    document = {"parameters": fitted.to_json(), "baskets": baskets.document()}
    async with database.transaction() as connection:
        version = await _add_version(connection, rules, fitted, document, until, now)
    return {"version": version, "fitted_until": until.isoformat(), "customers": len(members)}


def member_of(known: History, rules: Rules, until: date) -> Member | None:
    """What a refit takes of a customer; None for one without purchases in one currency."""
    facts, sums = known.facts, known.values.contemporary
    currencies = {purchase.currency for purchase in known.purchases}
    if len(currencies) != 1:
        return None
    currency = currencies.pop()
    won = sum(case.kind == TicketKind.OPPORTUNITY and case.state == WON for case in facts.cases)
    lost = sum(case.kind == TicketKind.OPPORTUNITY and case.state == LOST for case in facts.cases)
    return Member(
        group=peer_group(facts.attributes, facts.unit, rules),
        history=PurchaseHistory((purchase.day, purchase.revenue) for purchase in known.purchases),
        currency=currency,
        revenue=_of(sums.lifetime_parts.get("revenue", ()), currency),
        contribution=_of(sums.lifetime, currency),
        order_costs=-_of(sums.lifetime_parts.get(Part.ORDER_HANDLING, ()), currency),
        orders=len(known.purchases),
        won=won,
        lost=lost,
        wallet_to_sales=_wallet_to_sales(known, rules, currency, until),
    )


def _of(amounts: Iterable[Amount], currency: str) -> int:
    return sum(one.amount for one in amounts if one.currency == currency)


def _wallet_to_sales(known: History, rules: Rules, currency: str, until: date) -> float | None:
    stated = standing_statements(known.facts.wallets, until)
    own = own_sales(rules.value.rates, known.state.figures, currency, until)
    if not stated or own.amount <= 0 or any(one.currency != currency for one in stated):
        return None
    return sum(one.amount for one in stated) / own.amount


class Baskets:
    """Counts how many customers of each group, and of all, bought each category in the last year."""

    def __init__(self, until: date) -> None:
        self._since = until - timedelta(days=round(BASKET_MONTHS * MONTH))
        self._customers: Counter[str] = Counter()
        self._bought: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._all: Counter[str] = Counter()

    def take(self, known: History) -> None:
        """Counts a customer."""
        lately = [purchase for purchase in known.purchases if purchase.day > self._since]
        if not lately:
            return
        names = {name for purchase in lately for name in purchase.categories}
        group = known.values.outlook.group or ""
        self._customers[group] += 1
        self._bought[group].update(names)
        self._all.update(names)

    def document(self) -> dict[str, Any]:
        """The baskets of each group, as plain JSON values."""
        overall = sum(self._customers.values())
        return {
            group: asdict(PeerBaskets(count, dict(self._bought[group]), overall, dict(self._all)))
            for group, count in sorted(self._customers.items())
        }


async def _add_version(
    connection: Connection,
    rules: Rules,
    fitted: FittedParameters,
    document: Mapping[str, Any],
    until: date,
    now: datetime,
) -> int:
    """A version is added and never changed; it is published in the same transaction."""
    policy = rules.value.ledger
    costs = orjson.dumps(dict(policy.handling_cost)).decode()
    text = orjson.dumps(document).decode()
    version = await parameters.add_version(connection, now, costs, str(policy.missing_cost_share), until, text)
    state = ValueParametersState(
        version=version,
        valid_from=now,
        handling_cost_per_order=tuple(
            Amount(amount=amount, currency=currency) for currency, amount in sorted(policy.handling_cost.items())
        ),
        missing_cost_share=str(policy.missing_cost_share),
        fitted_until=until,
        forecast=tuple(told(fitted)),
    )
    await outbox.queue(connection, [encode_state(VALUE_PARAMETERS_STATE, str(version), state)])
    return version


def told(fitted: FittedParameters) -> Iterable[ForecastParameters]:
    """Parameters as they are published: the company's, then each group's by name."""
    yield _told("company", fitted.company)
    for name, group in sorted(fitted.groups.items()):
        yield _told(name, group)


def _told(name: str, group: GroupParameters) -> ForecastParameters:
    return ForecastParameters(
        group=name,
        source=group.purchases_from,
        model=MODEL,
        customers=group.fit.customers if group.fit else 0,
        purchases={letter: repr(value) for letter, value in asdict(group.purchases).items()},
        gamma_gamma={
            currency: {"p": repr(one.p), "q": repr(one.q), "gamma": repr(one.gamma)}
            for currency, one in sorted(group.order_values.items())
        },
        contribution_rate=f"{group.margin.rate:.6f}",
        order_costs={currency: f"{cost:.2f}" for currency, cost in sorted(group.order_costs.items())},
        win_rate=f"{group.win_rate.mean:.6f}",
        correction=f"{group.correction:.6f}",
    )
