"""The changes of a ticket: each function returns the ticket after the change, and the names of changed fields."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

from rapport_shared.contracts.ticket import TicketComment, TicketState
from rapport_ticket.domain.processes import NEW, PROCESSES, RESOLVED, TransitionRefused

Visibility = Literal["internal", "public"]

MAX_REGISTER_BYTES: Final = 480 * 1024
"""An event carries the whole ticket, and may have 512 KiB."""

MAX_COMMENTS: Final = 1_000


class TicketFull(Exception):
    """The ticket has reached its limit of comments or bytes."""


@dataclass(frozen=True, slots=True)
class Change:
    """A ticket after a change; `changed` names its fields that are different now."""

    ticket: TicketState
    changed: tuple[str, ...]


def first_state(
    ticket_id: UUID, running: int, fields: Mapping[str, Any], opened_at: datetime, now: datetime
) -> TicketState:
    """A ticket as it is opened; `fields` are those that its caller states, `kind` and `profile_id` among them.

    `opened_at` may lie before `now`, when the case is older than its record.
    """
    process = PROCESSES[fields["kind"]]
    return TicketState(
        **fields,
        ticket_id=ticket_id,
        number=process.number(running),
        state=NEW,
        open=process.is_open(NEW),
        opened_at=opened_at,
        changed_at=now,
    )


def ticket_id_of(name: str) -> UUID | None:
    """The id that `name` is; None where it can only be a ticket's number."""
    try:
        return UUID(name)
    except ValueError:
        return None


def possible_states(ticket: TicketState) -> tuple[str, ...]:
    """Returns the states that the ticket can go to."""
    return PROCESSES[ticket.kind].possible(ticket.state)


def commented(ticket: TicketState, comment: TicketComment) -> Change:
    """Adds a comment. Raises `TicketFull`."""
    return _changed(ticket, comment.at, comments=_with(ticket, comment))


def transitioned(ticket: TicketState, to: str, note: TicketComment | None, now: datetime) -> Change:
    """Moves the ticket to another state; reopening removes its resolution. Raises `TransitionRefused`, `TicketFull`.

    `resolved` is refused: `resolved()` takes the resolution.
    """
    process = PROCESSES[ticket.kind]
    if to == RESOLVED:
        raise TransitionRefused(ticket.state, process.possible(ticket.state))
    process.leave(ticket.state, to)
    update: dict[str, Any] = {"state": to, "open": process.is_open(to)}
    if update["open"]:
        update |= {"resolved_at": None, "resolution": None}
    if note is not None:
        update["comments"] = _with(ticket, note)
    return _changed(ticket, now, **update)


def resolved(ticket: TicketState, resolution: str, now: datetime) -> Change:
    """Resolves the ticket. Raises `TransitionRefused`, `TicketFull`."""
    process = PROCESSES[ticket.kind]
    process.leave(ticket.state, RESOLVED)
    is_open = process.is_open(RESOLVED)
    return _changed(ticket, now, state=RESOLVED, open=is_open, resolved_at=now, resolution=resolution)


def edited(ticket: TicketState, fields: Mapping[str, Any], now: datetime) -> Change | None:
    """Changes `fields`. Returns None if nothing is different. Raises `TicketFull`."""
    change = _changed(ticket, now, **fields)
    return change if change.changed else None


def with_stated(attributes: Mapping[str, Any], stated: Mapping[str, Any]) -> dict[str, Any]:
    """Returns own fields after an edit; a null removes a field."""
    return {name: value for name, value in sorted({**attributes, **stated}.items()) if value is not None}


def _with(ticket: TicketState, comment: TicketComment) -> tuple[TicketComment, ...]:
    if len(ticket.comments) >= MAX_COMMENTS:
        raise TicketFull
    return (*ticket.comments, comment)


def _changed(ticket: TicketState, now: datetime, **fields: Any) -> Change:
    changed = tuple(name for name, value in fields.items() if getattr(ticket, name) != value)
    after = ticket.model_copy(update={**fields, "changed_at": now})
    if changed and len(after.model_dump_json().encode()) > MAX_REGISTER_BYTES:
        raise TicketFull
    return Change(after, changed)
