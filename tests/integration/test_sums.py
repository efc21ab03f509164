"""The sums from which customers are assessed: always what their facts amount to, at a cost that stays the same."""

import random
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from rapport_scoring.commands.facts import take_facts
from rapport_scoring.commands.sums import SumRules
from rapport_scoring.consumers import decode
from rapport_scoring.domain.figures import YEAR
from rapport_scoring.domain.rules import shipped_rules
from rapport_scoring.domain.state import CustomerState, state_of
from rapport_scoring.domain.value_policy import ValuePolicy
from rapport_scoring.loading import load_customers, load_states
from rapport_shared.contracts.codec import Message
from tests.support.infrastructure import Databases
from tests.support.scoring_facts import ScoringFacts
from tests.support.scoring_service import Desk, record_of, scoring_desk

LATER = date(2100, 1, 1)
NOW = datetime(2026, 6, 1, tzinfo=UTC)
PROFILES = 4


class World:
    """Random facts of a few profiles whose documents name each other's."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.facts = ScoringFacts(seed=seed, profiles=PROFILES)
        self.happened: list[UUID] = []

    def something(self) -> None:
        """One more thing happens."""
        roll = self.chance.random()
        if roll < 0.08 and self.happened:
            self.facts.retract(self.happened.pop(self.chance.randrange(len(self.happened))))
        elif roll < 0.14:
            self.facts._join_or_undo()
        else:
            self.fact()

    def fact(self) -> None:
        """A fact of any kind is recorded."""
        kind, data = self.chance.choice([self.goods, self.money, self.others])()
        profile = self.facts.profile(self.chance.randrange(PROFILES))
        at = NOW - timedelta(hours=self.chance.randrange(24 * 500))
        if self.chance.random() < 0.1 and kind not in ("call.ended", "survey.answered", "wallet.reported"):
            data["value_date"] = (at.date() + timedelta(days=self.chance.randrange(-30, 60))).isoformat()
        historical = self.chance.random() < 0.3
        unit = self.chance.choice([None, "cn/east", "us"])
        self.happened.append(self.facts.state(profile, kind, data, at, unit, historical=historical))

    def number(self) -> str:
        """A number that several documents have."""
        return str(self.chance.randrange(4))

    def lines(self, *, empty: bool = False) -> list[dict[str, Any]]:
        """Lines of goods, a fee among them at times."""
        names = self.chance.sample(["a", "b", "fee"], self.chance.randrange(0 if empty else 1, 3))
        return [
            {"line": name, "quantity": "0" if name == "fee" else str(self.chance.randrange(1, 4)), "net": self.net()}
            for name in names
        ]

    def net(self) -> int:
        """An amount."""
        return self.chance.randrange(0, 10_000)

    def goods(self) -> tuple[str, dict[str, Any]]:
        """A document about goods."""
        number, revision = self.number(), self.chance.randrange(1, 4)
        kind = self.chance.choice(
            ["order.placed", "order.placed", "order.cancelled", "order.returned", "cost.reported"]
        )
        lines = self.lines(empty=kind != "order.placed")
        net = sum(line["net"] for line in lines)
        match kind:
            case "order.placed":
                category = {"category": self.chance.choice(["ink", "paper"]), "list": net}
                goods = [{**line, **category, "cost": self.chance.choice([None, line["net"] // 2])} for line in lines]
                data: dict[str, Any] = {"order": number, "currency": "CNY", "net": net, "gross": net, "lines": goods}
            case "order.cancelled":
                data = {"cancellation": number, "order": self.number(), "lines": lines}
            case "order.returned":
                data = {"return": number, "order": self.number(), "lines": lines}
            case _:
                data = {"cost": number, "about": {"order": self.number()}, "type": "freight", "amount": self.net()}
        return kind, {**data, "revision": revision}

    def money(self) -> tuple[str, dict[str, Any]]:
        """A document about money."""
        number, named, amount = self.number(), self.number(), self.net()
        kinds = ["invoice.issued", "invoice.issued", "payment.received", "payment.reversed", "payment.refunded"]
        match self.chance.choice([*kinds, "credit.issued", "invoice.written_off", "payment.allocated"]):
            case "invoice.issued" as kind:
                bills = [line | self.chance.choice([{}, {"order": named}]) for line in self.lines()]
                net = sum(line["net"] for line in bills)
                return kind, {"invoice": number, "currency": "CNY", "net": net, "gross": net, "lines": bills}
            case "payment.received" as kind:
                allocations = self.chance.choice([[], [{"invoice": named, "amount": amount}]])
                order = self.chance.choice([None, self.number()])
                data = {"payment": number, "currency": "CNY", "amount": amount, "allocations": allocations}
                return kind, data | ({"order": order} if order else {})
            case "payment.allocated" as kind:
                return kind, {"payment": number, "allocations": [{"invoice": named, "amount": amount}], "revision": 2}
            case "payment.reversed" as kind:
                return kind, {"reversal": number, "payment": named, "amount": amount, "fee": 5}
            case "payment.refunded" as kind:
                return kind, {"refund": number, self.chance.choice(["payment", "credit"]): named, "amount": amount}
            case "credit.issued" as kind:
                names = self.chance.choice([{}, {"invoice": named}, {"return": named}])
                return kind, {"credit": number, "currency": "CNY", "net": amount, "gross": amount, **names}
            case kind:
                return kind, {"write_off": number, "invoice": named, "amount": amount}

    def others(self) -> tuple[str, dict[str, Any]]:
        """A fact that is no document."""
        found: list[tuple[str, dict[str, Any]]] = (
            [
                ("call.ended", {"direction": "inbound", "effort": {"talk_s": self.chance.randrange(900)}}),
                ("survey.answered", {"survey": "nps", "score": self.chance.randrange(11)}),
                ("wallet.reported", {"category": "ink", "per": "month", "from": "2026-01-01", "amount": 1000,
                                     "currency": "CNY", "basis": "declared", "single_source": False}),
            ]
        )  # fmt: skip
        return self.chance.choice(found)


def differences(kept: CustomerState, wanted: CustomerState) -> list[str]:
    """Where a kept state differs from the wanted one, whatever the order of its lists."""
    found = [_named(name, getattr(kept, name), getattr(wanted, name)) for name in _PLAIN]
    found += [_named(name, _ids(getattr(kept, name)), _ids(getattr(wanted, name))) for name in _LISTS]
    one, other = kept.figures, wanted.figures
    found += [_named(name, getattr(one, name), getattr(other, name)) for name in _FIGURES]
    names = sorted(one.ever.keys() | other.ever.keys())
    found += [_named(f"ever {name}", one.ever.get(name), other.ever.get(name)) for name in names]
    since = date.min if wanted.last_day is None else wanted.last_day - YEAR
    days = sorted(day for day in one.days.keys() | other.days.keys() if day > since or day == other.bought_on.last)
    found += [_named(f"{day}", dict(one.days.get(day, {})), dict(other.days.get(day, {}))) for day in days]
    return [difference for difference in found if difference]


_PLAIN = ("customer_id", "profiles", "attributes", "unit", "earliest", "latest", "last_day", "historical", "digest")
_LISTS = ("answers", "wallets", "asset_events")
_FIGURES = ("bought_on", "invoices", "last_order_at", "first_contact_on")


def _named(name: str, kept: Any, wanted: Any) -> str:
    return "" if kept == wanted else f"{name}: {kept} is kept, {wanted} is right"


def _ids(facts: Iterable[Any]) -> list[UUID]:
    return sorted(fact.event_id for fact in facts)


async def assert_sums_are_right(desk: Desk, policy: ValuePolicy, when: str) -> None:
    """The kept state of every customer is what all its facts amount to."""
    async with desk.database.transaction() as connection:
        rows = await connection.fetch("SELECT DISTINCT customer_id FROM profile_mapping ORDER BY 1")
        customers = [row["customer_id"] for row in rows]
        kept = await load_states(connection, customers, SumRules.of(policy).name)
        known = await load_customers(connection, customers)
    for customer in customers:
        state = kept[customer]
        assert state is not None, f"{when}: the sums of {customer} were not made"
        wanted = state_of(known[customer], policy, LATER)
        found = differences(state, wanted)
        assert not found, f"{when}, {customer}:\n" + "\n".join(found)


@pytest.mark.parametrize("seed", range(6))
async def test_sums_are_what_all_facts_amount_to(databases: Databases, seed: int) -> None:
    """Facts of documents of several profiles come, go, are repeated, in batches of any size, with merges and undos."""
    world = World(seed)
    policy = shipped_rules().value
    async with scoring_desk(databases) as desk:
        desk.now = NOW
        for step in range(12):
            begin = len(world.facts.messages)
            for _ in range(world.chance.randrange(1, 15)):
                world.something()
            batch = world.facts.messages[begin:]
            world.chance.shuffle(batch)
            await desk.take([*batch, *world.chance.sample(world.facts.messages, min(5, len(world.facts.messages)))])
            await desk.fire(NOW + timedelta(days=100 * (step + 1)))
            await assert_sums_are_right(desk, policy, f"seed {seed}, step {step}")


async def test_other_rules_and_zones_make_the_sums_again(databases: Databases) -> None:
    world = World(7)
    async with scoring_desk(databases) as desk:
        desk.now = NOW
        for _ in range(40):
            world.fact()
        world.facts.unit("us", "America/New_York")
        await desk.take(world.facts.messages)
        await desk.fire(NOW + timedelta(days=100))
        begin = len(world.facts.messages)
        world.facts.unit("us", "Asia/Tokyo", 2)
        await desk.take(world.facts.messages[begin:])
        document = {"ledger": {"missing_cost_share": "0.5", "capital_rate": "0.08"}, "contacts": {"half_life_days": 30}}
        await desk.activate("value", document)
        await desk.fire(NOW + timedelta(days=101))
        await assert_sums_are_right(desk, ValuePolicy.model_validate(document), "under other rules")


FEW, MANY = 10, 10_000
DAYS = 20
_ROWS_READ = "SELECT coalesce(sum(seq_tup_read + idx_tup_fetch), 0)::bigint FROM pg_stat_xact_user_tables"


def happens(facts: ScoringFacts, kind: str, number: int, at: datetime) -> None:
    """One more order, invoice, payment or call of the one profile."""
    profile, lines = facts.profile(0), [{"line": "1", "quantity": "1", "net": 100, "category": "ink"}]
    total: dict[str, Any] = {"currency": "CNY", "net": 100, "gross": 100, "lines": lines}
    bill = {**total, "lines": [{"line": "1", "quantity": "1", "net": 100, "order": f"{number}"}]}
    paid = [{"invoice": f"{number}", "amount": 100}]
    data = {
        "order.placed": {**total, "order": f"{number}"},
        "invoice.issued": {**bill, "invoice": f"{number}"},
        "payment.received": {"payment": f"{number}", "currency": "CNY", "amount": 100, "allocations": paid},
        "call.ended": {"direction": "inbound", "effort": {"talk_s": 60}},
    }[kind]
    facts.state(profile, kind, data, at)


KINDS = ("order.placed", "invoice.issued", "payment.received", "call.ended")


async def cost_of(desk: Desk, messages: list[Message]) -> tuple[int, int]:
    """The statements that some messages cost, and the rows that PostgreSQL reads for them."""
    facts = [fact for message in messages if (fact := decode(record_of(message))) is not None]
    statements: list[str] = []
    async with desk.database.transaction() as connection:
        before = int(await connection.fetchval(_ROWS_READ))
        with connection.query_logger(lambda query: statements.append(query.query)):
            await take_facts(connection, facts, desk.rules, desk.clock)
        rows = int(await connection.fetchval(_ROWS_READ)) - before
    return len(statements), rows


async def test_one_more_event_costs_a_large_customer_as_much_as_a_small_one(databases: Databases) -> None:
    costs: dict[int, dict[str, tuple[int, int]]] = {}
    for count in (FEW, MANY):
        async with scoring_desk(databases) as desk:
            desk.now = NOW
            facts = ScoringFacts(seed=count, profiles=1)
            for number in range(count):
                at = NOW - timedelta(days=DAYS) * (count - number) / count
                happens(facts, KINDS[number % len(KINDS)], number // len(KINDS), at)
            for begin in range(0, count, 500):
                await desk.take(facts.messages[begin : begin + 500])
            await desk.fire(NOW)
            await desk.database.fetch("ANALYZE")
            done, costs[count] = len(facts.messages), {}
            for kind in KINDS:
                happens(facts, kind, count, NOW)
                costs[count][kind] = await cost_of(desk, facts.messages[done:])
                done = len(facts.messages)
    for kind in KINDS:
        few, many = costs[FEW][kind], costs[MANY][kind]
        assert many[0] <= few[0], f"{kind}: {few[0]} statements of a small customer, {many[0]} of a large one"
        # a row for each day that had any facts, and those of the event itself
        assert many[1] <= few[1] + DAYS + 10, f"{kind}: {few[1]} rows of a small customer, {many[1]} of a large one"
