"""Golden events of the interaction service."""

from uuid import UUID

from rapport_shared.contract_documents.golden.story import (
    CALL,
    CALLER,
    PHONE,
    ROUTE,
    UNIT,
    Golden,
    fixed_id,
    golden_event,
    later,
    normal_form,
)
from rapport_shared.contracts import interaction
from rapport_shared.contracts.catalogue import (
    INTERACTION_QUARANTINED,
    INTERACTION_RECORDED,
    INTERACTION_RETRACTED,
    QUARANTINE_DISMISSED,
    QUARANTINE_MENDED,
)
from rapport_shared.contracts.ids import derived_id
from rapport_shared.contracts.interaction import IdentifierType, RecordedIdentifier
from rapport_shared.normalisation import NORM_VERSION


def interaction_events() -> list[Golden]:
    """The call, its retraction, and two reports that could not be recorded: one is mended, one dismissed."""
    touchpoint_id, conversation = UUID(CALL["id"]), derived_id("interaction", "example")
    identifier = RecordedIdentifier(
        type=IdentifierType.PHONE,
        key=ROUTE,
        raw=PHONE["value"],
        normal=normal_form(PHONE),
        norm_version=NORM_VERSION,
        verified=True,
    )
    recorded = interaction.InteractionRecorded(
        interaction_id=conversation,
        touchpoint_id=touchpoint_id,
        profile_id=CALLER,
        customer_id=CALLER,
        attribution=interaction.Attribution(by="minted", identifier_key=ROUTE, route_seq=0),
        identifiers=(identifier,),
        kind=CALL["kind"],
        channel=CALL["channel"],
        unit=UNIT,
        touchpoint=dict(CALL),
    )
    retracted = interaction.InteractionRetracted(
        interaction_id=conversation, touchpoint_id=touchpoint_id, event_id=touchpoint_id, reason="reported_in_error"
    )
    quarantined = interaction.InteractionQuarantined(
        quarantine_id=fixed_id(9),
        touchpoint_id=fixed_id(91),
        reason="invalid",
        errors=(interaction.QuarantineReason(pointer="/unit", code="unknown_unit", message="not a unit of this firm"),),
        received_at=later(9),
    )
    mended = interaction.QuarantineMended(
        quarantine_id=fixed_id(9), touchpoint_id=fixed_id(91), decided_by=str(fixed_id(93))
    )
    dismissed = interaction.QuarantineDismissed(
        quarantine_id=fixed_id(94), touchpoint_id=None, reason="unusable", decided_by=str(fixed_id(93))
    )
    return [
        golden_event(7, INTERACTION_RECORDED, conversation, recorded, event_id=touchpoint_id, profile_id=CALLER),
        golden_event(8, INTERACTION_RETRACTED, conversation, retracted, sequence=2, profile_id=CALLER),
        golden_event(9, INTERACTION_QUARANTINED, fixed_id(9), quarantined),
        golden_event(95, QUARANTINE_MENDED, fixed_id(9), mended, sequence=2),
        golden_event(96, QUARANTINE_DISMISSED, fixed_id(94), dismissed, sequence=2),
    ]
