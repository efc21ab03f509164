"""Golden records of the compacted topics, with their tombstones."""

from uuid import UUID

from rapport_shared.contract_documents.golden.customers import shanghai
from rapport_shared.contract_documents.golden.story import CALLED, CALLER, REGISTERED, UNIT, Golden
from rapport_shared.contract_documents.golden.values import present_score
from rapport_shared.contracts import customer, gateway, scoring, view, view_identity
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
from rapport_shared.contracts.touchpoints.profile import Name


def _view() -> view.CustomerSections:
    identity = view_identity.IdentitySection(
        kind="person",
        display_name="王小明",
        also_known_as=[],
        name=Name(display="王小明"),
        fields=view_identity.ViewFields(language="zh"),
        registered=True,
        profiles=[view_identity.ViewProfile(profile_id=REGISTERED, registered=True, sources=[])],
        identifiers=[],
        unit=UNIT,
        units=[UNIT],
        owner=None,
        consents=[],
        attributes={},
        relations=[],
        relations_total=0,
        related={},
        etag='"1"',
    )
    interactions = view.InteractionsSection(count=1, by_channel={"phone": 1}, first_at=CALLED, last_at=CALLED, last=[])
    return view.CustomerSections(identity=identity, interactions=interactions)


def states() -> list[Golden]:
    """The last records of each compacted topic: present, moved where a merge leaves that, erased."""
    present = gateway.CustomerViewState(customer_id=REGISTERED, run=1, version=812, as_of=CALLED, sections=_view())
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
            present=present,
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
