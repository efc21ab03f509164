"""Golden events of the customer service."""

from uuid import UUID

from rapport_shared.contract_documents.golden.story import (
    CALLED,
    CALLER,
    CAR,
    PHONE,
    REGISTERED,
    ROUTE,
    SECRET,
    UNIT,
    Golden,
    fixed_id,
    golden_event,
    later,
    normal_form,
)
from rapport_shared.contracts import customer, policies
from rapport_shared.contracts.catalogue import (
    ASSET_CHANGED,
    CANDIDATE_CHANGED,
    CUSTOMER_MERGED,
    CUSTOMER_POLICY_ACTIVATED,
    CUSTOMER_UNMERGED,
    IDENTIFIER_ROUTED,
    PROFILE_CHANGED,
    UNIT_CHANGED,
)
from rapport_shared.contracts.ids import derived_id, source_profile_id
from rapport_shared.contracts.interaction import IdentifierType
from rapport_shared.contracts.touchpoints.examples import EXAMPLES
from rapport_shared.normalisation import NORM_VERSION, identifier_key, normalise_asset_key

_MERGE = fixed_id(40)
_ASSET = derived_id("asset", "example")


def _profile() -> customer.ProfileState:
    reported = EXAMPLES["profile.reported"]
    statement = {"source": "dms-shanghai", "occurred_at": CALLED, "event_id": reported["id"]}
    return customer.ProfileState(
        profile_id=REGISTERED,
        registered=True,
        sources=(
            customer.SourceState(system="dms-shanghai", record="K-20881", occurred_at=CALLED, event_id=reported["id"]),
        ),
        fields={
            name: (customer.FieldCandidate.model_validate({"value": reported["data"][name], **statement}),)
            for name in ("name", "addresses", "birth_date")
        },
        identifiers=(
            customer.HeldIdentifier(
                type=IdentifierType.PHONE,
                key=ROUTE,
                raw=PHONE["value"],
                normal=normal_form(PHONE),
                norm_version=NORM_VERSION,
                verified=True,
                routed=True,
                held_since=CALLED,
            ),
        ),
        consents=(
            customer.ConsentState(
                purpose="marketing", given=True, channel="email", occurred_at=CALLED, event_id=fixed_id(90)
            ),
        ),
        relations=(
            customer.RelationState(
                type="employee_of",
                to={"system": "erp-east", "record": "C-2001"},
                profile_id=source_profile_id("erp-east", "C-2001"),
                source="dms-shanghai:K-20881",
                occurred_at=CALLED,
                event_id=reported["id"],
            ),
        ),
        ended_relations=(
            customer.EndedRelation(type="referred_by", profile_id=CALLER, occurred_at=CALLED, event_id=fixed_id(91)),
        ),
        unit=UNIT,
        owner="agent-17",
        registered_at=later(1),
        created_at=later(1),
    )


def _hand_over() -> customer.HandOver:
    return customer.HandOver(
        hand_over_id=fixed_id(93),
        former_owner="agent-16",
        owner="agent-17",
        handed_over=True,
        customer_id=REGISTERED,
        profiles=(REGISTERED,),
        reason="moved to Suzhou",
        decided_by="desk-1",
    )


def _move(profile_id: UUID, mapping_seq: int, customer_id: UUID) -> tuple[customer.ProfileMove, ...]:
    return (customer.ProfileMove(profile_id=profile_id, mapping_seq=mapping_seq, customer_id=customer_id),)


def _asset() -> customer.AssetState:
    keys = []
    for type_ in ("serial", "plate"):
        normal = normalise_asset_key(type_, CAR[type_]).normal
        keys.append(
            customer.AssetKey.model_validate(
                {"type": type_, "key": identifier_key(SECRET, type_, normal), "normal": normal}
            )
        )
    serviced = UUID(EXAMPLES["asset.serviced"]["id"])
    return customer.AssetState(
        asset_id=_ASSET,
        keys=tuple(keys),
        former_keys=(keys[1].model_copy(update={"key": fixed_id(92).hex, "normal": "沪A00001", "until": CALLED}),),
        former_holders=(CALLER,),
        type=CAR["type"],
        model=CAR["model"],
        holdings=(customer.AssetHolding(profile_id=REGISTERED, from_at=CALLED, event_id=serviced),),
        services=(
            customer.AssetService(
                work_order=CAR["work_order"], occurred_at=CALLED, event_id=serviced, mileage=CAR["mileage"]
            ),
        ),
        attributes={
            "warranty_until": customer.AssetAttribute(value="2028-03-01", occurred_at=CALLED, event_id=serviced)
        },
    )


def shanghai() -> customer.UnitState:
    """The unit of the story."""
    return customer.UnitState(
        path=UNIT, name="上海分公司", time_zone="Asia/Shanghai", currency="CNY", phone_region="CN"
    )


_SUSPECTED = derived_id("candidate", *sorted((CALLER, REGISTERED)))


def _candidate() -> customer.CandidateState:
    one, other = sorted((CALLER, REGISTERED))
    return customer.CandidateState(
        candidate_id=_SUSPECTED,
        one=one,
        other=other,
        state="open",
        cause="matching",
        probability=0.83,
        reasons=(
            customer.CandidateReason(field="name", level="exact", weight=6.5),
            customer.CandidateReason(field="birth_date", level="missing"),
        ),
    )


def _policy() -> policies.PolicyActivated:
    document = {"sources": {"dms-shanghai": 10}, "identifiers": {"phone": {"blocked": ["+862150000000"]}}}
    return policies.PolicyActivated(kind="matching", name="default", unit="", version=2, document=document)


def customer_events() -> list[Golden]:
    """A registered profile, its route, a join and its undoing, a candidate, a policy, his car, his unit."""
    cause = UUID(EXAMPLES["profile.reported"]["id"])
    profile = customer.ProfileChanged(
        profile=_profile(), changed=("fields", "identifiers", "owner"), hand_over=_hand_over()
    )
    routed = customer.IdentifierRouted(
        identifier_key=ROUTE,
        identifier_type=IdentifierType.PHONE,
        target=customer.RouteTarget.PROFILE,
        profile_id=REGISTERED,
        route_seq=2,
        valid_from=later(2),
    )
    merged = customer.CustomerMerged(
        merge_id=_MERGE,
        from_customer=CALLER,
        into_profile=REGISTERED,
        into_customer=REGISTERED,
        reason="identifier",
        moves=_move(CALLER, 1, REGISTERED),
    )
    unmerged = customer.CustomerUnmerged(
        merge_id=_MERGE,
        from_customer=CALLER,
        into_profile=REGISTERED,
        decided_by="agent-17",
        moves=_move(CALLER, 2, CALLER),
    )
    suspected = customer.CandidateChanged(candidate=_candidate(), changed=("created",))
    policy = "matching/default/"
    asset = customer.AssetChanged(asset=_asset(), changed=("services",))
    unit = customer.UnitChanged(unit=shanghai(), changed=("name",))
    whose = {"profile_id": REGISTERED, "customer_id": REGISTERED}
    return [
        golden_event(1, PROFILE_CHANGED, REGISTERED, profile, sequence=3, causation_id=cause, **whose),
        golden_event(2, IDENTIFIER_ROUTED, ROUTE, routed, sequence=2, causation_id=cause),
        golden_event(3, CUSTOMER_MERGED, _MERGE, merged, customer_id=REGISTERED, causation_id=cause),
        golden_event(4, CUSTOMER_UNMERGED, _MERGE, unmerged, sequence=2),
        golden_event(5, ASSET_CHANGED, _ASSET, asset, sequence=2, profile_id=REGISTERED, key=_ASSET),
        golden_event(6, UNIT_CHANGED, UNIT, unit),
        golden_event(7, CANDIDATE_CHANGED, _SUSPECTED, suspected),
        golden_event(8, CUSTOMER_POLICY_ACTIVATED, policy, _policy()),
    ]
