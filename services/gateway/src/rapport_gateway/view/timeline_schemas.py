"""The entries of a timeline, by the type of their event. Their data are those of the event."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from rapport_shared.contracts import customer, scoring, ticket
from rapport_shared.contracts.envelope import ShownInstant


class TimelineItem(BaseModel):
    """What every entry has. `profile_id` is null for what concerns the customer as a whole."""

    event_id: UUID
    occurred_at: ShownInstant
    recorded_at: ShownInstant
    profile_id: UUID | None


class InteractionEntry(TimelineItem):
    """The latest touchpoint of a conversation; `data` is what its channel reported, by its kind."""

    type: Literal["interaction.recorded"]
    kind: str
    channel: str
    interaction_id: UUID
    data: dict[str, Any] | None
    agent: str | None
    attributes: dict[str, Any] | None = None


class TicketOpenedEntry(TimelineItem):
    """A ticket was opened."""

    type: Literal["ticket.opened"]
    data: ticket.TicketOpened


class TicketCommentedEntry(TimelineItem):
    """A remark was added to a ticket."""

    type: Literal["ticket.commented"]
    data: ticket.TicketCommented


class TicketTransitionedEntry(TimelineItem):
    """A ticket went to another state."""

    type: Literal["ticket.transitioned"]
    data: ticket.TicketTransitioned


class TicketResolvedEntry(TimelineItem):
    """A ticket was resolved."""

    type: Literal["ticket.resolved"]
    data: ticket.TicketResolved


class AssetChangedEntry(TimelineItem):
    """An asset of the customer changed."""

    type: Literal["customer.asset_changed"]
    data: customer.AssetChanged


class MergedEntry(TimelineItem):
    """A customer became part of another."""

    type: Literal["customer.merged"]
    data: customer.CustomerMerged


class UnmergedEntry(TimelineItem):
    """A merge was undone."""

    type: Literal["customer.unmerged"]
    data: customer.CustomerUnmerged


class StageChangedEntry(TimelineItem):
    """The customer entered another stage."""

    type: Literal["customer.stage_changed"]
    data: scoring.StageChanged


class SegmentEnteredEntry(TimelineItem):
    """The customer entered a segment."""

    type: Literal["segment.entered"]
    data: scoring.SegmentEntered


class SegmentLeftEntry(TimelineItem):
    """The customer left a segment."""

    type: Literal["segment.left"]
    data: scoring.SegmentLeft


class AlarmRaisedEntry(TimelineItem):
    """An alarm was raised."""

    type: Literal["alarm.raised"]
    data: scoring.AlarmRaised


class AlarmWithdrawnEntry(TimelineItem):
    """An alarm was withdrawn."""

    type: Literal["alarm.withdrawn"]
    data: scoring.AlarmWithdrawn


class TriggerFiredEntry(TimelineItem):
    """A reason to act came up."""

    type: Literal["trigger.fired"]
    data: scoring.TriggerFired


class TriggerClearedEntry(TimelineItem):
    """A reason to act is gone."""

    type: Literal["trigger.cleared"]
    data: scoring.TriggerCleared


TimelineEntry = Annotated[
    InteractionEntry
    | TicketOpenedEntry
    | TicketCommentedEntry
    | TicketTransitionedEntry
    | TicketResolvedEntry
    | AssetChangedEntry
    | MergedEntry
    | UnmergedEntry
    | StageChangedEntry
    | SegmentEnteredEntry
    | SegmentLeftEntry
    | AlarmRaisedEntry
    | AlarmWithdrawnEntry
    | TriggerFiredEntry
    | TriggerClearedEntry,
    Field(discriminator="type"),
]


class TimelinePage(BaseModel):
    """Entries, the newest first."""

    entries: list[TimelineEntry]
    next_cursor: str | None


class Losing(BaseModel):
    """A statement of a field, and who makes it."""

    value: Any
    profile_id: UUID | None = None
    source: str | None = None
    manual: bool | None = None
    verified: bool | None = None
    priority: int | None = None
    channel: str | None = None
    occurred_at: ShownInstant | None = None
    event_id: UUID | None = None


class FieldExplanation(Losing):
    """Why a field of the identity is what it is: the statement that counts, the rule, and the other statements."""

    field: str
    rule: str
    losers: list[Losing]


class StageDecision(BaseModel):
    """A change of the stage."""

    type: Literal["customer.stage_changed"]
    event_id: UUID
    occurred_at: ShownInstant
    data: scoring.StageChanged


class SegmentDecision(BaseModel):
    """An entry into a segment, or a leave."""

    type: Literal["segment.entered", "segment.left"]
    event_id: UUID
    occurred_at: ShownInstant
    data: scoring.SegmentLeft


class AlarmDecision(BaseModel):
    """The outcome of an alarm."""

    type: Literal["alarm.raised", "alarm.withdrawn", "alarm.expired"]
    event_id: UUID
    occurred_at: ShownInstant
    data: scoring.AlarmChanged


class DecisionList(BaseModel):
    """What was decided about a value lately, the latest first."""

    decisions: list[Annotated[StageDecision | SegmentDecision | AlarmDecision, Field(discriminator="type")]]
