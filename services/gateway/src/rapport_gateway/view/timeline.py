"""The timeline of a customer: which events are entries of it, and how an entry reads."""

from typing import Any, Final

from rapport_gateway.view.facts import Fact
from rapport_shared.contracts.envelope import instant_text

OF_PROFILE: Final = (
    "interaction.recorded",
    "ticket.opened",
    "ticket.commented",
    "ticket.transitioned",
    "ticket.resolved",
    "customer.asset_changed",
    "customer.merged",
    "customer.unmerged",
)
"""Events of a profile: they are shown at the customer that the profile is part of."""
OF_CUSTOMER: Final = (
    "customer.stage_changed",
    "segment.entered",
    "segment.left",
    "alarm.raised",
    "alarm.withdrawn",
    "trigger.fired",
    "trigger.cleared",
)
"""Events of a customer's score: they are shown at the customer id that they name, and never move.

A customer's first stage is no change: it comes with the first thing that is known of it.
"""


def entry(fact: Fact) -> dict[str, Any]:
    """An entry as JSON."""
    shown: dict[str, Any] = {
        "event_id": str(fact.event_id),
        "type": fact.type,
        "occurred_at": fact.at,
        "recorded_at": instant_text(fact.recorded_at),
        "profile_id": str(fact.profile_id) if fact.profile_id else None,
    }
    if fact.type != "interaction.recorded":
        return shown | {"data": fact.data}
    touchpoint = fact.data["touchpoint"]
    shown |= {
        "kind": fact.data["kind"],
        "channel": fact.data["channel"],
        "interaction_id": fact.data["interaction_id"],
        "data": touchpoint.get("data"),
        "agent": touchpoint.get("agent"),
    }
    return shown | ({"attributes": touchpoint["attributes"]} if touchpoint.get("attributes") else {})
