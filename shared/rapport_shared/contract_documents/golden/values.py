"""Golden events of the scoring service."""

from datetime import date, timedelta

from rapport_shared.contract_documents.golden.story import CALLED, REGISTERED, Golden, fixed_id, golden_event
from rapport_shared.contracts import policies, scoring
from rapport_shared.contracts.catalogue import (
    ALARM_EXPIRED,
    ALARM_RAISED,
    ALARM_WITHDRAWN,
    SCORE_POLICY_ACTIVATED,
    SCORE_UPDATED,
    SEGMENT_ENTERED,
    SEGMENT_LEFT,
    STAGE_CHANGED,
    TRIGGER_CLEARED,
    TRIGGER_FIRED,
    EventType,
)
from rapport_shared.contracts.model import Contract
from rapport_shared.contracts.money import Amount

_ALARM = fixed_id(300)
_EPISODE = date(2025, 12, 20)


def _yuan(amount: int) -> Amount:
    return Amount(amount=amount, currency="CNY")


def _contemporary() -> scoring.ContemporaryValue:
    parts = {"revenue": (_yuan(205_000),), "product_cost": (_yuan(-130_000),), "order_handling": (_yuan(-1_200),)}
    return scoring.ContemporaryValue(
        lifetime=(_yuan(73_800),),
        lifetime_parts=parts,
        lifetime_estimated=(_yuan(0),),
        last_90_days=(_yuan(73_800),),
        last_90_days_parts=parts,
    )


def _commerce() -> scoring.CommerceFigures:
    return scoring.CommerceFigures(
        orders=4,
        revenue=(_yuan(205_000),),
        last_order_at=CALLED - timedelta(days=71),
        receivable_open=(_yuan(40_000),),
        receivable_due=(scoring.ReceivableDue(amount=40_000, currency="CNY", due_on=date(2026, 3, 31)),),
        receivable_due_total=1,
    )


def _potential() -> scoring.PotentialValue:
    return scoring.PotentialValue(
        value=_yuan(211_000),
        group="company",
        repeats=3,
        recency="5.125",
        age="5.75",
        alive="0.961538",
        expected_orders="33.6508",
        discounted_orders="27.5471",
        order_value=_yuan(20_500),
        contribution_rate="0.3980",
        order_cost=_yuan(500),
        order_contribution=_yuan(7_659),
    )


def present_score() -> scoring.ScoreUpdated:
    """What the registered customer is worth."""
    return scoring.ScoreUpdated(
        customer_id=REGISTERED,
        as_of=CALLED,
        policy_version=1,
        parameter_version=1,
        profiles=(REGISTERED,),
        contemporary=_contemporary(),
        lines=4,
        facts_digest="5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8",
        valued_on=CALLED.date(),
        commerce=_commerce(),
        potential=_potential(),
        model=scoring.ModelValue(value=None, reason="wallet_unknown"),
        total=_yuan(284_800),
        tier=scoring.TierState(
            name="silver", measure="last_90_days", figure=_yuan(73_800), next="gold", missing=_yuan(26_200)
        ),
        stage=scoring.StageState(name="developing", since=date(2025, 11, 2)),
        indicators={"orders": "4", "recency_days": "71"},
        alarms=(_alarm("pending"),),
        segments=("car-owners",),
    )


def _alarm(state: str) -> scoring.AlarmState:
    at = CALLED + timedelta(days=20)
    return scoring.AlarmState.model_validate(
        {"alarm_id": _ALARM, "kind": "silence", "episode": _EPISODE, "due_at": at, "state": state}
    )


def _moved(model: type[scoring.SegmentMoved], before: str, after: str) -> scoring.SegmentMoved:
    return model(
        customer_id=REGISTERED,
        segment="car-owners",
        policy_version=1,
        condition="/when/all/0",
        reading="orders",
        before=before,
        after=after,
        effective=True,
    )


def _trigger(model: type[scoring.TriggerFired]) -> scoring.TriggerFired:
    state = scoring.TriggerState(name="retention", since=CALLED, effective=True, inputs={"potential": "211000"})
    return model(customer_id=REGISTERED, trigger=state, policy_version=1)


def _events() -> list[tuple[EventType, Contract]]:
    stage = scoring.StageChanged(
        customer_id=REGISTERED, before="first_order", after="developing", since=date(2025, 11, 2), effective=True
    )
    return [
        (SCORE_UPDATED, present_score()),
        (STAGE_CHANGED, stage),
        (SEGMENT_ENTERED, _moved(scoring.SegmentEntered, "2", "4")),
        (SEGMENT_LEFT, _moved(scoring.SegmentLeft, "4", "2")),
        (ALARM_RAISED, scoring.AlarmRaised(customer_id=REGISTERED, alarm=_alarm("raised"))),
        (ALARM_WITHDRAWN, scoring.AlarmWithdrawn(customer_id=REGISTERED, alarm=_alarm("withdrawn"))),
        (ALARM_EXPIRED, scoring.AlarmExpired(customer_id=REGISTERED, alarm=_alarm("expired"))),
        (TRIGGER_FIRED, _trigger(scoring.TriggerFired)),
        (TRIGGER_CLEARED, _trigger(scoring.TriggerCleared)),
    ]


def score_events() -> list[Golden]:
    """That value, computed, and what was noticed with it."""
    policy = policies.PolicyActivated(
        kind="tier", name="default", unit="", version=1, document={"measure": "last_90_days"}
    )
    told = [
        golden_event(30 + place, event_type, REGISTERED, data, sequence=place + 1, customer_id=REGISTERED)
        for place, (event_type, data) in enumerate(_events())
    ]
    return [*told, golden_event(50, SCORE_POLICY_ACTIVATED, "tier/default/", policy)]
