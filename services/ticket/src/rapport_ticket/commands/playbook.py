"""Applies the playbook: an occasion opens tickets; the end of a reason ends or comments on them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from rapport_shared.clock import Clock, next_recorded
from rapport_shared.contracts.catalogue import TICKET_COMMENTED, TICKET_POLICY_ACTIVATED, TICKET_TRANSITIONED
from rapport_shared.contracts.ids import new_id
from rapport_shared.contracts.ticket import TicketComment
from rapport_shared.database import Connection, Database
from rapport_shared.policies import DEFAULT, PolicyKind, PolicyPlace, active_version, parsed
from rapport_ticket.commands.opening import Opening, open_ticket
from rapport_ticket.commands.recording import record_change
from rapport_ticket.domain import tickets
from rapport_ticket.domain.playbook import KEPT_DAYS, Play, PlaybookPolicy, ReasonEvent
from rapport_ticket.domain.processes import NEEDLESS, NEW
from rapport_ticket.domain.rehearsal import Rehearsal
from rapport_ticket.domain.tickets import TicketFull
from rapport_ticket.store import occasions as store
from rapport_ticket.store import registers
from rapport_ticket.store.tickets import StoredTicket

PLAYBOOK: Final = PolicyKind("playbook", PlaybookPolicy, TICKET_POLICY_ACTIVATED)
PLAYBOOK_PLACE: Final = PolicyPlace(PLAYBOOK.kind, DEFAULT)
AUTHOR: Final = "playbook"
"""The author of comments that the playbook adds."""
KEPT: Final = timedelta(days=KEPT_DAYS)


@dataclass(frozen=True, slots=True)
class Playbook:
    """Applies the active playbook to events of scoring."""

    clock: Clock

    async def play(self, connection: Connection, said: Sequence[ReasonEvent]) -> None:
        """Applies events in their order. A repeat of an event changes nothing."""
        version = await active_version(connection, PLAYBOOK_PLACE)
        policy = parsed(PLAYBOOK, version)
        for told in said:
            if not told.begins:
                await self._end(connection, policy, told)
            elif told.effective and self._is_recent(policy, told):
                await self._begin(connection, policy, version.version, told)

    def _is_recent(self, policy: PlaybookPolicy, told: ReasonEvent) -> bool:
        return self.clock() - told.recorded_at <= timedelta(hours=policy.effect_horizon_hours)

    async def _begin(self, connection: Connection, policy: PlaybookPolicy, version: int, told: ReasonEvent) -> None:
        customer_id = await registers.customer_of(connection, told.customer_id)
        await store.lock_customer(connection, customer_id)
        if not await store.note_occasion(connection, told):
            return
        for name, play in policy.answering(told.reason):
            known = await store.lock_answering_ticket(connection, customer_id, name)
            if known is not None:
                await self._remark(connection, known, policy.again, told)
                await store.note_answer(connection, told.event_id, name, known.ticket.ticket_id)
            elif not await self._rests(connection, name, play, told):
                await self._open(connection, version, name, play, told)

    async def _rests(self, connection: Connection, name: str, play: Play, told: ReasonEvent) -> bool:
        last = await store.last_opened_at(connection, told.customer_id, name)
        return last is not None and self.clock() - last < timedelta(days=play.cool_down_days)

    async def _open(self, connection: Connection, version: int, name: str, play: Play, told: ReasonEvent) -> None:
        now = self.clock()
        customer = await registers.whose(connection, told.customer_id)
        opening = Opening(
            profile_id=told.customer_id,
            kind=play.kind,
            subject=play.subject,
            opened_at=now,
            description=play.description,
            priority=play.priority,
            unit=customer.unit,
            owner=customer.owner,
            origin=told.origin(name, version),
            causation_id=told.event_id,
        )
        stored = await open_ticket(connection, opening, now)
        if stored is not None:
            await store.note_answer(connection, told.event_id, name, stored.ticket.ticket_id)

    async def _end(self, connection: Connection, policy: PlaybookPolicy, told: ReasonEvent) -> None:
        ended = await store.end_occasions(connection, told)
        if not ended:
            return
        await store.lock_customer(connection, await registers.customer_of(connection, told.customer_id))
        for stored in await store.lock_tickets_without_reason(connection, ended):
            if stored.ticket.state == NEW:
                await self._withdraw(connection, stored, policy.gone, told)
            else:
                await self._remark(connection, stored, policy.gone, told)

    async def _withdraw(self, connection: Connection, stored: StoredTicket, text: str, told: ReasonEvent) -> None:
        now = next_recorded(self.clock(), stored.last_recorded_at)
        try:
            change = tickets.transitioned(stored.ticket, NEEDLESS, _comment(text, now), now)
        except TicketFull:
            change = tickets.transitioned(stored.ticket, NEEDLESS, None, now)
        await record_change(connection, stored, TICKET_TRANSITIONED, change, now, told.event_id)

    async def _remark(self, connection: Connection, stored: StoredTicket, text: str, told: ReasonEvent) -> None:
        now = next_recorded(self.clock(), stored.last_recorded_at)
        try:
            change = tickets.commented(stored.ticket, _comment(text, now))
        except TicketFull:
            return
        await record_change(connection, stored, TICKET_COMMENTED, change, now, told.event_id)


@dataclass(frozen=True, slots=True)
class PlaybookTrial:
    """Tries a playbook on the occasions of the last 90 days; changes nothing."""

    database: Database
    clock: Clock

    async def __call__(self, document: PlaybookPolicy) -> dict[str, Any]:
        """Returns the tickets that `document` would have opened, beside those of the active playbook."""
        in_force = parsed(PLAYBOOK, await active_version(self.database, PLAYBOOK_PLACE))
        tried, present = Rehearsal(document), Rehearsal(in_force)
        async for page in store.occasions_since(self.database, self.clock() - KEPT):
            for occasion in page:
                tried.take(occasion)
                present.take(occasion)
        return {"days": KEPT_DAYS, **tried.outcome(), "in_force": {"tickets": present.outcome()["tickets"]}}


async def forget_occasions(connection: Connection, clock: Clock) -> None:
    """Deletes occasions that are too old to try a playbook on."""
    await store.forget_occasions(connection, clock() - KEPT)


def _comment(text: str, now: datetime) -> TicketComment:
    return TicketComment(id=new_id(now), visibility="internal", text=text, author=AUTHOR, at=now)
