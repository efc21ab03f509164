"""The playbook: which tickets are opened when scoring publishes a reason to act for a customer.

A *reason* has the form `trigger:growth`. An *occasion* is the period in which a customer has a reason. A *play* opens
one kind of ticket for one reason.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from rapport_shared.contracts.catalogue import (
    ALARM_RAISED,
    ALARM_WITHDRAWN,
    SEGMENT_ENTERED,
    SEGMENT_LEFT,
    STAGE_CHANGED,
    TRIGGER_CLEARED,
    TRIGGER_FIRED,
)
from rapport_shared.contracts.codec import Event
from rapport_shared.contracts.scoring import SILENCE, Stage, Trigger
from rapport_shared.contracts.ticket import TicketOrigin
from rapport_ticket.domain.fields import Line, Priority, Text

KEPT_DAYS: Final = 90
"""How long an occasion is kept. A playbook is tried on these days, and no cool-down is longer."""

_NAMES: Final[Mapping[str, frozenset[str]]] = {
    "trigger": frozenset(Trigger),
    "alarm": frozenset({SILENCE}),
    "stage": frozenset(Stage),
}


def _known_reason(reason: str) -> str:
    source, _, name = reason.partition(":")
    names = _NAMES.get(source)
    if names is not None and name not in names:
        context = {"source": source, "names": ", ".join(sorted(names))}
        raise PydanticCustomError("unknown_reason", "the reasons of {source} are: {names}", context)
    return reason


Reason = Annotated[
    str,
    StringConstraints(pattern=r"^(trigger|alarm|stage|segment):[a-z][a-z0-9_-]{0,62}$"),
    AfterValidator(_known_reason),
]
PlayName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,62}$")]


class Play(BaseModel):
    """Opens a ticket when a customer gets the `reason`, at most one per customer in `cool_down_days`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    reason: Reason
    kind: Literal["follow_up", "opportunity", "task"]
    subject: Line
    description: Text | None = None
    priority: Priority = "normal"
    cool_down_days: Annotated[int, Field(ge=1, le=KEPT_DAYS)] = 7


SHIPPED: Final[Mapping[str, Play]] = MappingProxyType(
    {
        "keep": Play(
            reason="trigger:retention",
            kind="follow_up",
            subject="Keep this customer: it is worth less than it was, or silent",
            priority="high",
        ),
        "win-back": Play(reason="trigger:win_back", kind="follow_up", subject="Win this customer back"),
        "grow": Play(
            reason="trigger:growth",
            kind="opportunity",
            subject="Rivals have the greater part of what this customer buys",
        ),
        "watch-credit": Play(
            reason="trigger:credit_watch",
            kind="task",
            subject="Look at the credit of this customer",
            priority="high",
        ),
    }
)


class PlaybookPolicy(BaseModel):
    """The `playbook` policy: plays by name.

    A reason that was recorded more than `effect_horizon_hours` ago opens no ticket. `gone` and `again` are the comments
    on a ticket whose reason ended or came up once more.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    plays: Annotated[dict[PlayName, Play], Field(max_length=100)] = Field(default_factory=lambda: dict(SHIPPED))
    effect_horizon_hours: Annotated[int, Field(ge=1, le=24 * KEPT_DAYS)] = 72
    gone: Line = "The reason for this is gone."
    again: Line = "The reason for this came up again."

    @model_validator(mode="after")
    def _told_apart(self) -> Self:
        twice = {(play.reason, play.kind) for play in self.plays.values()}
        if len(twice) < len(self.plays):
            raise PydanticCustomError("same_play", "two plays open the same kind of ticket for the same reason")
        return self

    def answering(self, reason: str) -> Iterator[tuple[str, Play]]:
        """The plays that answer a reason, with their names."""
        return ((name, play) for name, play in sorted(self.plays.items()) if play.reason == reason)


@dataclass(frozen=True, slots=True)
class ReasonEvent:
    """The begin or the end of a customer's reason, from one event of scoring.

    `effective` is false if nobody should act on the event. `sequence` orders the events of a customer.
    """

    event_id: UUID
    customer_id: UUID
    sequence: int
    recorded_at: datetime
    reason: str
    begins: bool
    effective: bool = True
    figures: Mapping[str, str] = field(default_factory=dict)

    def origin(self, play: str, version: int) -> TicketOrigin:
        """Returns the origin of a ticket that `play` of the playbook's `version` opens."""
        return TicketOrigin(
            play=play,
            playbook_version=version,
            reason=self.reason,
            event_id=self.event_id,
            figures=dict(self.figures),
        )


def told(event: Event[Any]) -> tuple[ReasonEvent, ...]:
    """Returns the reasons that end, then those that begin, by an event of a type in `READ`.

    A reason does not end when a merge moves it to another customer.
    """
    envelope = event.envelope
    return tuple(
        ReasonEvent(envelope.id, event.data.customer_id, envelope.sequence, envelope.recorded_at, *said)
        for said in READ[event.type.wire](event.data)
    )


_Said = Iterator[tuple[str, bool, bool, Mapping[str, str]]]
"""The reason, whether it begins, whether the event is effective, and the figures."""


def _trigger_fired(data: Any) -> _Said:
    yield f"trigger:{data.trigger.name}", True, data.trigger.effective, data.trigger.inputs


def _trigger_cleared(data: Any) -> _Said:
    if data.moved_to is None:
        yield f"trigger:{data.trigger.name}", False, True, {}


def _alarm_raised(data: Any) -> _Said:
    figures = {"episode": data.alarm.episode.isoformat(), "due_at": data.alarm.due_at.isoformat()}
    yield f"alarm:{data.alarm.kind}", True, True, figures


def _alarm_withdrawn(data: Any) -> _Said:
    yield f"alarm:{data.alarm.kind}", False, True, {}


def _segment_entered(data: Any) -> _Said:
    figures = {"condition": data.condition, "reading": data.reading, "before": data.before, "after": data.after}
    known = {name: value for name, value in figures.items() if value is not None}
    yield f"segment:{data.segment}", True, data.effective, known


def _segment_left(data: Any) -> _Said:
    if data.moved_to is None:
        yield f"segment:{data.segment}", False, True, {}


def _stage_changed(data: Any) -> _Said:
    if data.before is not None:
        yield f"stage:{data.before}", False, True, {}
    figures = {"before": data.before, "since": data.since.isoformat() if data.since else None}
    known = {name: value for name, value in figures.items() if value is not None}
    yield f"stage:{data.after}", True, data.effective, known


READ: Final[Mapping[str, Callable[[Any], _Said]]] = {
    TRIGGER_FIRED.wire: _trigger_fired,
    TRIGGER_CLEARED.wire: _trigger_cleared,
    ALARM_RAISED.wire: _alarm_raised,
    ALARM_WITHDRAWN.wire: _alarm_withdrawn,
    SEGMENT_ENTERED.wire: _segment_entered,
    SEGMENT_LEFT.wire: _segment_left,
    STAGE_CHANGED.wire: _stage_changed,
}
"""By the type of event on the wire."""
