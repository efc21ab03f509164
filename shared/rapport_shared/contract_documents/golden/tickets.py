"""Golden events of the ticket service."""

from typing import Any

from rapport_shared.contract_documents.golden.story import (
    CALLER,
    REGISTERED,
    UNIT,
    Golden,
    fixed_id,
    golden_event,
    later,
)
from rapport_shared.contracts import policies, ticket
from rapport_shared.contracts.catalogue import (
    TICKET_COMMENTED,
    TICKET_OPENED,
    TICKET_POLICY_ACTIVATED,
    TICKET_RESOLVED,
    TICKET_TRANSITIONED,
    TICKET_UPDATED,
    EventType,
)

_TICKET = fixed_id(50)


def _ticket(**after: Any) -> ticket.TicketState:
    opened = {
        "ticket_id": _TICKET,
        "number": "R-100234",
        "kind": "repair",
        "profile_id": CALLER,
        "state": "new",
        "open": True,
        "subject": "空调有异响",
        "description": "客户希望本周内检修。",
        "unit": UNIT,
        "opened_at": later(20),
        "changed_at": later(20),
    }
    return ticket.TicketState.model_validate(opened | after)


def ticket_events() -> list[Golden]:
    """A repair from its opening to its end, and a playbook."""
    play = {"reason": "segment:silent-regulars", "kind": "follow_up", "subject": "Ring them up"}
    playbook = policies.PolicyActivated(
        kind="playbook", name="default", unit="", version=1, document={"plays": {"ring-up": play}}
    )
    comment = {
        "id": fixed_id(51),
        "visibility": "internal",
        "text": "已预约周四上午",
        "author": "agent-17",
        "at": later(21),
    }
    in_work = {"state": "in_progress", "priority": "high", "comments": (comment,)}
    resolved = {"state": "resolved", "open": False, "resolved_at": later(24), "resolution": "Compressor replaced."}
    steps: tuple[tuple[EventType, dict[str, Any], tuple[str, ...]], ...] = (
        (TICKET_OPENED, {}, ("state",)),
        (TICKET_COMMENTED, {"comments": (comment,)}, ("comments",)),
        (TICKET_UPDATED, {"priority": "high", "comments": (comment,)}, ("priority",)),
        (TICKET_TRANSITIONED, in_work, ("state",)),
        (TICKET_RESOLVED, in_work | resolved, ("open", "resolution", "resolved_at", "state")),
    )
    worked = [
        golden_event(
            19 + number,
            event_type,
            _TICKET,
            event_type.model.model_validate(
                {"ticket": _ticket(**after, changed_at=later(19 + number)), "changed": changed}
            ),
            sequence=number,
            profile_id=CALLER,
            customer_id=REGISTERED,
        )
        for number, (event_type, after, changed) in enumerate(steps, 1)
    ]
    return [*worked, golden_event(97, TICKET_POLICY_ACTIVATED, "playbook/default/", playbook)]
