"""Golden records of the compacted topics, with their tombstones."""

from typing import Any
from uuid import UUID

from rapport_shared.contract_documents.golden.customers import shanghai
from rapport_shared.contract_documents.golden.story import CALLED, CALLER, REGISTERED, UNIT, Golden
from rapport_shared.contract_documents.golden.values import present_score
from rapport_shared.contracts import customer, gateway, scoring
from rapport_shared.contracts.catalogue import (
    CUSTOMER_VALUE_STATE,
    CUSTOMER_VIEW_STATE,
    PROFILE_MAP_STATE,
    UNIT_STATE,
    VALUE_PARAMETERS_STATE,
    Topic,
)
from rapport_shared.contracts.codec import encode_state
from rapport_shared.contracts.model import Contract
from rapport_shared.contracts.money import Amount


def _view() -> dict[str, Any]:
    return {
        "identity": {"kind": "person", "display_name": "王小明", "registered": True, "unit": UNIT},
        "interactions": {"count": 1, "by_channel": {"phone": 1}},
    }


def states() -> list[Golden]:
    """The last records of each compacted topic: present, moved where a merge leaves that, erased."""
    view = gateway.CustomerViewState(customer_id=REGISTERED, run=1, version=812, as_of=CALLED, sections=_view())
    parameters = scoring.ValueParametersState(
        version=1,
        valid_from=CALLED,
        handling_cost_per_order=(Amount(amount=1_200, currency="CNY"),),
        missing_cost_share="0.7",
    )
    return [
        *_compacted(
            CUSTOMER_VIEW_STATE,
            REGISTERED,
            present=view,
            moved=gateway.CustomerViewState(customer_id=REGISTERED, run=1, version=813, moved_to=CALLER),
        ),
        *_compacted(
            CUSTOMER_VALUE_STATE,
            REGISTERED,
            present=scoring.CustomerValueState(customer_id=REGISTERED, version=7, score=present_score()),
            moved=scoring.CustomerValueState(customer_id=REGISTERED, version=8, moved_to=CALLER),
        ),
        *_compacted(
            PROFILE_MAP_STATE,
            CALLER,
            present=customer.ProfileMapState(profile_id=CALLER, customer_id=REGISTERED, mapping_seq=1),
        ),
        *_compacted(UNIT_STATE, UNIT, present=shanghai()),
        *_compacted(VALUE_PARAMETERS_STATE, "1", present=parameters),
    ]


def _compacted(topic: Topic, key: UUID | str, **states: Contract) -> list[Golden]:
    every: dict[str, Contract | None] = {**states, "tombstone": None}
    return [
        Golden(f"states/{topic.name}/{what}", encode_state(topic, key, state), state) for what, state in every.items()
    ]
