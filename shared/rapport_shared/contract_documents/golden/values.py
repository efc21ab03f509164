"""Golden events of the scoring service."""

from rapport_shared.contract_documents.golden.story import CALLED, REGISTERED, Golden, golden_event
from rapport_shared.contracts import scoring
from rapport_shared.contracts.catalogue import (
    SCORE_UPDATED,
)
from rapport_shared.contracts.money import Amount


def present_score() -> scoring.ScoreUpdated:
    """What the registered customer is worth."""

    def yuan(amount: int) -> tuple[Amount, ...]:
        return (Amount(amount=amount, currency="CNY"),)

    return scoring.ScoreUpdated(
        customer_id=REGISTERED,
        as_of=CALLED,
        policy_version=1,
        parameter_version=1,
        profiles=(REGISTERED,),
        contemporary=scoring.ContemporaryValue(
            lifetime=yuan(73_800),
            lifetime_parts={"revenue": yuan(205_000), "product_cost": yuan(-130_000), "order_handling": yuan(-1_200)},
            lifetime_estimated=yuan(0),
        ),
        lines=4,
        facts_digest="5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8",
    )


def score_events() -> list[Golden]:
    """That value, computed."""
    return [golden_event(30, SCORE_UPDATED, REGISTERED, present_score(), customer_id=REGISTERED)]
