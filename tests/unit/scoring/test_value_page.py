"""What docs/value.md shows is what the domain computes: the worked case, the shipped policies, the indicators."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

import pytest
import yaml
from pydantic import BaseModel

from deploy.local.infrastructure import CHECKOUT
from rapport_scoring.domain.dynamics.tiers import TierPolicy
from rapport_scoring.domain.dynamics.trigger_policy import TriggerPolicy
from rapport_scoring.domain.facts import WalletStatement
from rapport_scoring.domain.forecast import (
    MONTH,
    ForecastPolicy,
    ModelPolicy,
    OwnSales,
    Prospect,
    Recency,
    WinRate,
    model_value,
    potential_value,
    prospect,
    silence_alarm,
)
from rapport_scoring.domain.indicators import NUMBERS
from rapport_scoring.domain.indicators.attribute import LABELS
from rapport_scoring.domain.ledger.policy import LedgerPolicy, ReserveShares
from rapport_scoring.domain.ledger.reckoning import ledger
from rapport_scoring.domain.value_policy import ValuePolicy
from tests.support.documented import blocks
from tests.unit.scoring.documents import day, line, on, order, payment, within
from tests.unit.scoring.test_worked_case import POLICY as WORKED_POLICY
from tests.unit.scoring.test_worked_case import large_order, sums

PAGE = CHECKOUT / "docs" / "value.md"
TEXT = PAGE.read_text(encoding="utf-8")
FORECAST, PURCHASES = ForecastPolicy(), ForecastPolicy().purchase_prior.model()
RECENCIES = (Recency(4, 4.0, 4.0), Recency(359, 35.9, 35.9))
CREDIT, CREDIT_DAYS = 5_000_000, 45
NEEDS = (33_000_000, 10_000_000)


def table(head: str) -> dict[str, list[Decimal]]:
    """The numbers of the page's table that begins with `head`, by the first cell of each row."""
    rows = TEXT.split(f"\n| {head} |", 1)[1].split("\n\n", 1)[0].splitlines()[2:]
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    return {name: [Decimal(cell.replace(",", "")) for cell in rest if cell[0].isdigit()] for name, *rest in cells}


def yuan(fen: float) -> Decimal:
    return Decimal(fen).scaleb(-2).quantize(Decimal("0.01"))


def contribution(list_price: Fraction, net: int, *, freight: int = 0, credit: int = 0) -> Fraction:
    """What an order of the worked case contributes, in fen and unrounded."""
    cost = list_price * Fraction(WORKED_POLICY.missing_cost_share) + WORKED_POLICY.handling_cost["CNY"] + freight
    interest = Fraction(WORKED_POLICY.capital_rate) * credit * CREDIT_DAYS / WORKED_POLICY.day_count
    return net - cost - interest - credit * Fraction(WORKED_POLICY.reserve.current)


CONTRIBUTIONS = (
    contribution(Fraction(10_000_000 * 100, 88), 10_000_000, freight=300_000, credit=CREDIT),
    contribution(Fraction(1_000_000 * 100, 95), 1_000_000),
)


def prospects() -> list[Prospect]:
    return [prospect(PURCHASES, recency, FORECAST.horizon()) for recency in RECENCIES]


def potentials() -> list[float]:
    return [potential_value(float(each), of) for each, of in zip(CONTRIBUTIONS, prospects(), strict=True)]


def models(win_rate: WinRate) -> Iterator[float]:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    for place, orders_a_month in enumerate((1, 10)):
        wallet = WalletStatement(
            *(UUID(int=1), UUID(int=2), at, "parts", date(2026, 1, 1), None),
            *(NEEDS[place], "CNY", "declared", place == 1),
        )
        own = OwnSales(10_000_000, orders_a_month, "CNY")
        scaling = float(CONTRIBUTIONS[place]) + WORKED_POLICY.handling_cost["CNY"]
        rate = scaling * orders_a_month / own.amount
        found = model_value([wallet], own, None, win_rate, rate, prospects()[place].discounted_orders)
        assert found.value is not None
        yield found.value


def contemporary() -> list[dict[str, int]]:
    a = [fact for number, placed_on in (("1", 0), ("2", 30), ("3", 60)) for fact in large_order(number, placed_on)]
    goods = line("a", "1", 1_000_000, cost=736_842)
    b = [order(str(number), 0, goods, **on(3 * number)) for number in range(30)]
    b += [payment(f"p{number}", 3 * number, 1_000_000, order=str(number)) for number in range(30)]
    return [sums(within(ledger(facts, WORKED_POLICY, valued_on=day(90)), day(0), day(90))) for facts in (a, b)]


def test_contemporary_value() -> None:
    rows = {
        "revenue": "revenue",
        "product cost": "product_cost",
        "order handling": "order_handling",
        "freight": "logistics",
        "receivable interest": "receivable_interest",
        "bad-debt reserve": "bad_debt_reserve",
    }
    both = contemporary()
    expected = {shown: [yuan(abs(each.get(part, 0))) for each in both] for shown, part in rows.items()}
    expected["contemporary value"] = [yuan(sum(each.values())) for each in both]
    assert {part for each in both for part in each} == set(rows.values())
    assert table("the last three months, ¥") == expected


def test_potential_value() -> None:
    both = prospects()
    lines = [
        10_000_000 - 7_954_545 - 20_000 - 300_000 - round(Fraction(CREDIT * CREDIT_DAYS * 6, 36_500)) - 100_000,
        1_000_000 - 736_842 - 20_000,
    ]
    assert [float(each) for each in CONTRIBUTIONS] == pytest.approx(lines, abs=1)
    assert table("the forecast") == {
        "contribution per order": [yuan(each) for each in lines],
        "P(alive)": [Decimal(f"{each.alive:.6f}") for each in both],
        "expected orders in 60 months": [Decimal(f"{each.expected_orders:.4f}") for each in both],
        "the same, discounted": [Decimal(f"{each.discounted_orders:.4f}") for each in both],
        "potential value": [yuan(each) for each in potentials()],
    }


def test_model_value() -> None:
    prior = ModelPolicy()
    assert table("what rivals have") == {
        "needs a month": [yuan(each) for each in NEEDS],
        "buys from us a month": [yuan(10_000_000)] * 2,
        "model value": [yuan(each) for each in models(WinRate(prior.wins, prior.losses))],
    }


def test_silence() -> None:
    alarms = [silence_alarm(PURCHASES, each.repeats, each.last, FORECAST.alarm_probability) for each in RECENCIES]
    days = [(alarm - each.last) * MONTH for alarm, each in zip(alarms, RECENCIES, strict=True) if alarm is not None]
    assert table("silence") == {"days after the last order": [Decimal(f"{each:.1f}") for each in days]}


def test_who_comes_first() -> None:
    now = [sum(each.values()) for each in contemporary()]
    rows = re.findall(r"^\| (0\.\d+) \| ([\d,.]+) \| ([\d,.]+) \| ([AB]) \|$", TEXT, re.MULTILINE)
    assert len(rows) == 5
    for rate, *totals, first in rows:
        win_rate = WinRate(float(rate), 1 - float(rate))
        values = [sum(each) for each in zip(now, potentials(), models(win_rate), strict=True)]
        assert [Decimal(each.replace(",", "")) for each in totals] == [yuan(each) for each in values]
        assert first == ("A" if values[0] > values[1] else "B")


def test_the_policy_of_the_worked_case() -> None:
    written = next(document for document in documents("value") if "forecast" not in document)
    expected = LedgerPolicy(handling_cost={"CNY": 20_000}, reserve=ReserveShares(current=Decimal("0.02")))
    assert ValuePolicy.model_validate(written).ledger == expected == WORKED_POLICY


def documents(kind: str) -> list[dict[str, object]]:
    """The policies of a kind that the page sends, in YAML."""
    sent = [block.text for block in blocks(PAGE, CHECKOUT) if block.info.startswith("bash")]
    pattern = rf"/v1/policies/{kind}/.*?--data-binary '\n(.*?)\n'"
    return [yaml.safe_load(found) for text in sent for found in re.findall(pattern, text, re.DOTALL)]


@pytest.mark.parametrize(("kind", "model"), [("value", ValuePolicy), ("tier", TierPolicy), ("trigger", TriggerPolicy)])
def test_the_shipped_policies_are_shown_whole(kind: str, model: type[BaseModel]) -> None:
    whole = [document for document in documents(kind) if set(document) == set(model.model_fields)]
    assert len(whole) == 1
    shown = model.model_validate(whole[0])
    assert shown == model()
    assert unsaid(shown, model()) == []


def unsaid(shown: object, shipped: object, place: str = "") -> list[str]:
    """The fields that are not written, of those that have a value."""
    if isinstance(shipped, BaseModel) and isinstance(shown, BaseModel):
        missing = [
            f"{place}/{name}"
            for name in type(shipped).model_fields
            if name not in shown.model_fields_set and getattr(shipped, name) is not None
        ]
        inner = [
            found
            for name in shown.model_fields_set
            for found in unsaid(getattr(shown, name), getattr(shipped, name), f"{place}/{name}")
        ]
        return [one for one in missing if one != f"{place}/conditions"] + inner
    return []


def test_every_indicator_is_described() -> None:
    section = TEXT.split("\n## Indicators\n", 1)[1].split("\n## ", 1)[0]
    cells = re.findall(r"^\| (`[^|]*) \|", section, re.MULTILINE)
    assert {name for cell in cells for name in re.findall(r"`(\w+)`", cell)} == NUMBERS | set(LABELS)
