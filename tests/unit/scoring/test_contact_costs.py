"""What contacts and work on assets cost, and the policy that stands in for what nobody stated."""

from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from rapport_scoring.domain.facts import AssetEvent, Contact
from rapport_scoring.domain.ledger.lines import Part
from rapport_scoring.domain.ledger.policy import LedgerPolicy
from rapport_scoring.domain.ledger.reckoning import ledger
from rapport_shared.contracts.ids import derived_id
from rapport_shared.contracts.touchpoints.fields import Money
from tests.unit.scoring.documents import PROFILE, START, day

POLICY = LedgerPolicy(contact_rate={"chat": Money(amount=1_000, currency="EUR")})


def contact(on_day: int, seconds: int, channel: str = "phone", cost: Money | None = None) -> Contact:
    at = START + timedelta(days=on_day)
    return Contact(
        derived_id("contact", on_day, channel),
        PROFILE,
        at,
        day(on_day),
        "call.ended",
        channel,
        "inbound",
        seconds,
        cost,
    )


def service(on_day: int, cost: Money | None) -> AssetEvent:
    at = START + timedelta(days=on_day)
    event_id = derived_id("service", on_day)
    return AssetEvent(event_id, PROFILE, at, "VIN-1", "serviced", None, None, None, day(on_day), cost)


def test_a_contact_costs_what_it_says_else_its_time() -> None:
    talks = [contact(1, 90), contact(2, 3_600, "chat"), contact(3, 60, cost=Money(amount=5, currency="USD"))]
    lines = ledger([], POLICY, contacts=talks).lines
    assert [(entry.part, entry.amount, entry.currency, entry.estimated) for entry in lines] == [
        (Part.CONTACT_COST, -150, "CNY", True),
        (Part.CONTACT_COST, -1_000, "EUR", True),
        (Part.CONTACT_COST, -5, "USD", False),
    ]
    assert [(entry.event_id, entry.day, entry.document) for entry in lines[:1]] == [(talks[0].event_id, day(1), None)]


def test_each_contact_is_rounded_half_to_even_and_counts_once() -> None:
    half = LedgerPolicy(default_contact_rate=Money(amount=1, currency="CNY"))
    talks = [contact(1, 1_800), contact(2, 5_400)]
    assert [entry.amount for entry in ledger([], half, contacts=talks * 2).lines] == [-2]


def test_work_that_we_bore_costs_and_other_work_does_not() -> None:
    lines = ledger([], POLICY, asset_events=[service(1, Money(amount=80, currency="CNY")), service(2, None)]).lines
    assert [(entry.part, entry.amount) for entry in lines] == [(Part.WARRANTY, -80)]


def test_later_facts_do_not_count_yet() -> None:
    talks, work = [contact(1, 60), contact(5, 60)], [service(5, Money(amount=80, currency="CNY"))]
    book = ledger([], POLICY, contacts=talks, asset_events=work, valued_on=day(4))
    assert [entry.day for entry in book.lines] == [day(1)]
    assert ledger([], POLICY, contacts=talks, asset_events=work).valued_on == day(5)


@pytest.mark.parametrize(
    "wrong",
    [
        {"capital_rate": 0.06},
        {"capital_rate": "-0.01"},
        {"missing_cost_share": "1.01"},
        {"missing_cost_share": "NaN"},
        {"day_count": 0},
        {"handling_cost": {"CNY": -1}},
        {"handling_cost": {"XYZ": 1}},
        {"reserve": {"current": 0.5}},
        {"default_contact_rate": {"amount": -1, "currency": "CNY"}},
        {"handling_costs": {}},
    ],
)
def test_a_policy_is_exact_and_refuses_what_it_does_not_know(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        LedgerPolicy.model_validate(wrong)


def test_a_policy_survives_its_own_text() -> None:
    text = POLICY.model_dump_json()
    assert LedgerPolicy.model_validate_json(text) == POLICY
    assert '"missing_cost_share":"0.70"' in text
