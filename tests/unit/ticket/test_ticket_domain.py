"""Processes lead somewhere, changes say what changed, registers are order-free."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport_shared.contracts import catalogue, customer
from rapport_shared.contracts.catalogue import EventType
from rapport_shared.contracts.codec import Event
from rapport_shared.contracts.customer import RouteTarget
from rapport_shared.contracts.envelope import Envelope
from rapport_shared.contracts.ids import RAPPORT, source_profile_id
from rapport_shared.contracts.interaction import IdentifierType
from rapport_shared.contracts.ticket import LOST, OWN_WORK, WON, TicketComment, TicketKind, TicketState
from rapport_ticket.domain import tickets
from rapport_ticket.domain.addressing import Route, Unreadable, address, addressee
from rapport_ticket.domain.processes import NEEDLESS, NEW, PROCESSES, RESOLVED, TransitionRefused
from rapport_ticket.domain.registers import fold

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
SECRET = b"k" * 32


def _id(number: int) -> UUID:
    return uuid5(RAPPORT, str(number))


def _ticket(kind: TicketKind = TicketKind.REPAIR, **fields: Any) -> TicketState:
    stated = {"kind": kind, "profile_id": _id(1), "subject": "空调异响"} | fields
    return tickets.first_state(_id(0), 100234, stated, NOW, NOW)


def _remark(text: str = "rings back at six") -> TicketComment:
    return TicketComment(id=_id(7), visibility="internal", text=text, author="agent-17", at=NOW)


@pytest.mark.parametrize("kind", TicketKind)
def test_every_state_is_reached_and_a_ticket_that_ended_can_be_reopened(kind: TicketKind) -> None:
    process = PROCESSES[kind]
    reached, ahead = {NEW}, [NEW]
    while ahead:
        for state in process.possible(ahead.pop()):
            if state not in reached:
                reached.add(state)
                ahead.append(state)
    assert reached == set(process.steps)
    assert all(process.possible(state) for state in process.steps)
    for ended in (RESOLVED, WON, LOST):
        if ended in process.steps:
            assert not process.is_open(ended)
            assert any(process.is_open(state) for state in process.possible(ended))


def test_only_work_of_our_own_that_nobody_began_turns_out_needless() -> None:
    ways = {(kind, state) for kind in TicketKind for state, to in PROCESSES[kind].steps.items() if NEEDLESS in to}
    assert ways == {(kind, NEW) for kind in OWN_WORK}


def test_numbers_name_the_kind() -> None:
    assert [PROCESSES[kind].number(7)[0] for kind in TicketKind] == list("SRCFOT")
    assert PROCESSES["repair"].number(100234) == "R-100234"
    assert PROCESSES["repair"].number(1_000_000) == "R-1000000"


@given(kind=st.sampled_from(TicketKind), wishes=st.lists(st.sampled_from([*"abc", "in_progress", "closed", "waiting"])))
def test_a_ticket_only_goes_where_its_process_leads(kind: TicketKind, wishes: list[str]) -> None:
    ticket = _ticket(kind)
    for wish in wishes:
        possible = tickets.possible_states(ticket)
        if wish in possible:
            change = tickets.transitioned(ticket, wish, None, NOW)
            assert change.ticket.state == wish
            assert "state" in change.changed
            ticket = change.ticket
        else:
            with pytest.raises(TransitionRefused) as refused:
                tickets.transitioned(ticket, wish, None, NOW)
            assert (refused.value.state, refused.value.possible) == (ticket.state, possible)


def test_resolved_is_reached_by_a_resolution_alone() -> None:
    working = tickets.transitioned(_ticket(), "in_progress", None, NOW).ticket
    with pytest.raises(TransitionRefused):
        tickets.transitioned(working, RESOLVED, None, NOW)
    done = tickets.resolved(working, "compressor replaced", NOW + timedelta(hours=1))
    assert done.changed == ("state", "open", "resolved_at", "resolution")
    assert (done.ticket.state, done.ticket.open, done.ticket.resolved_at) == (RESOLVED, False, NOW + timedelta(hours=1))
    with pytest.raises(TransitionRefused):
        tickets.resolved(done.ticket, "twice", NOW)


def test_reopening_ends_the_resolution_and_keeps_the_note() -> None:
    working = tickets.transitioned(_ticket(), "in_progress", None, NOW).ticket
    done = tickets.resolved(working, "compressor replaced", NOW).ticket
    again = tickets.transitioned(done, "in_progress", _remark("rattles again"), NOW)
    assert again.changed == ("state", "open", "resolved_at", "resolution", "comments")
    assert (again.ticket.open, again.ticket.resolution, again.ticket.resolved_at) == (True, None, None)
    assert again.ticket.comments[-1].text == "rattles again"


def test_an_edit_names_what_is_different_now() -> None:
    ticket = _ticket(owner="agent-17")
    assert tickets.edited(ticket, {"owner": "agent-17"}, NOW) is None
    change = tickets.edited(ticket, {"owner": None, "priority": "high", "subject": ticket.subject}, NOW)
    assert change is not None
    assert change.changed == ("owner", "priority")


def test_a_ticket_never_outgrows_an_event() -> None:
    ticket, remark = _ticket(), _remark("字" * 20_000)
    for _ in range(7):
        ticket = tickets.commented(ticket, remark).ticket
    with pytest.raises(tickets.TicketFull):
        tickets.commented(tickets.commented(ticket, remark).ticket, remark)
    event = catalogue.TICKET_COMMENTED.model(ticket=ticket, changed=("comments",))
    assert len(event.model_dump_json().encode()) < 512 * 1024


def test_addresses_are_asked_in_the_order_in_which_touches_are_attributed() -> None:
    phone = address(SECRET, IdentifierType.PHONE, "138 0013 8000", "CN", None)
    external = address(SECRET, IdentifierType.EXTERNAL, "C-1001", None, "erp-east")
    to_phone = {phone.key: Route(RouteTarget.PROFILE, _id(1))}
    assert external.source_profile == source_profile_id("erp-east", "C-1001")
    assert addressee([phone, external], to_phone, set()) == _id(1)
    assert addressee([phone, external], to_phone, {source_profile_id("erp-east", "C-1001")}) == external.source_profile
    assert addressee([phone], {phone.key: Route(RouteTarget.BLOCKED, None)}, set()) is None
    assert addressee([phone], {}, set()) is None
    with pytest.raises(Unreadable):
        address(SECRET, IdentifierType.PHONE, "not a number", "CN", None)


def _event(event_type: EventType, subject: object, sequence: int, data: Any) -> Event[Any]:
    envelope = Envelope(_id(sequence), event_type.source, event_type.wire, str(subject), NOW, NOW, sequence)
    return Event(envelope, event_type, data)


def _history() -> list[Event[Any]]:
    events: list[Event[Any]] = []
    for sequence in range(1, 5):
        routed = customer.IdentifierRouted(
            identifier_key="a" * 64,
            identifier_type=IdentifierType.PHONE,
            target=RouteTarget.PROFILE,
            profile_id=_id(sequence),
            route_seq=sequence,
            valid_from=NOW,
        )
        events.append(_event(catalogue.IDENTIFIER_ROUTED, "a" * 64, sequence, routed))
        move = customer.ProfileMove(profile_id=_id(1), mapping_seq=sequence, customer_id=_id(1 + sequence % 2))
        unmerged = customer.CustomerUnmerged(merge_id=_id(90 + sequence), moves=(move,))
        events.append(_event(catalogue.CUSTOMER_UNMERGED, _id(90 + sequence), 2, unmerged))
        unit = customer.UnitState(
            path="cn", name=f"v{sequence}", time_zone="Asia/Shanghai", currency="CNY", phone_region="CN"
        )
        events.append(_event(catalogue.UNIT_CHANGED, "cn", sequence, customer.UnitChanged(unit=unit, changed=())))
    state = customer.ProfileState(profile_id=_id(8), registered=True, created_at=NOW)
    events.append(_event(catalogue.PROFILE_CHANGED, _id(8), 1, customer.ProfileChanged(profile=state, changed=())))
    return events


@given(shuffled=st.permutations(_history()), doubled=st.lists(st.integers(0, 12)))
def test_registers_fold_alike_in_any_order(shuffled: list[Event[Any]], doubled: list[int]) -> None:
    registers = fold([*shuffled, *(shuffled[place] for place in doubled)])
    assert registers == fold(_history())
    assert registers.routes["a" * 64].route_seq == 4
    assert registers.moves[_id(1)].mapping_seq == 4
    assert registers.units["cn"][1].name == "v4"
    assert _id(8) in registers.profiles
