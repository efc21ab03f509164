"""A channel application over the generated Python client; prints what it did, line by line.

It reports, asks what became of a report, reads and follows a customer, opens a ticket, imports a sheet, merges two
customers and undoes the merge. `GATEWAY` and `KEY` come from the environment.
"""

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from io import BytesIO
from typing import Any, TypeVar
from uuid import UUID, uuid4

from httpx import Timeout
from rapport_client import AuthenticatedClient
from rapport_client.api.customer_commands import post_v1_customers, post_v1_merges, post_v1_merges_merge_id_undo
from rapport_client.api.customers import (
    customer_v1_customers_customer_id_get,
    timeline_v1_customers_customer_id_timeline_get,
)
from rapport_client.api.imports import (
    one_v1_imports_import_id_get,
    run_v1_imports_import_id_run_post,
    upload_v1_imports_post,
)
from rapport_client.api.ticket_commands import post_v1_tickets
from rapport_client.api.ticket_reads import get_v1_tickets
from rapport_client.api.touchpoints import report_v1_touchpoints_post, status_v1_touchpoints_touchpoint_id_get
from rapport_client.models import (
    CallEnded,
    CustomerView,
    EndedCall,
    Identifier,
    IdentifierType,
    ImportAnswer,
    InteractionEntry,
    Merged,
    MergeRequest,
    Moved,
    Name,
    NamedCustomer,
    NewCustomer,
    NewTicket,
    Problem,
    Recorded,
    Reported,
    SnapshotEvent,
    Ticket,
    TicketKind,
    TicketPage,
    TimelinePage,
    Unmerged,
    Verdicts,
    Written,
)
from rapport_client.types import File, Response

Parsed = TypeVar("Parsed")
WAIT_MS = 20_000


def expect(answer: Response[Any], kind: type[Parsed]) -> Parsed:
    """The parsed answer, which must be of this kind."""
    assert isinstance(answer.parsed, kind), f"{answer.status_code}: {answer.content!r}"
    return answer.parsed


def call(number: str) -> CallEnded:
    """A call that ended."""
    return CallEnded(
        channel="phone",
        kind="call.ended",
        occurred_at=datetime.now(UTC),
        identifiers=[Identifier(type_=IdentifierType.PHONE, value=number, region="CN")],
        data=EndedCall(subject="保养预约"),
    )


def report(client: AuthenticatedClient) -> tuple[UUID, UUID]:
    """Reports a call under an `Idempotency-Key`, and answers its id and customer."""
    touchpoint = call(f"138{uuid4().int % 10**8:08d}")
    dry = report_v1_touchpoints_post.sync_detailed(client=client, body=touchpoint, dry_run=True, idempotency_key="dry")
    [verdict] = expect(dry, Verdicts).results
    assert (verdict.valid, verdict.would_mint) == (True, True)
    key = str(uuid4())
    answer = report_v1_touchpoints_post.sync_detailed(client=client, body=touchpoint, idempotency_key=key)
    [accepted] = expect(answer, Reported).accepted
    touchpoint.agent = "agent-2"
    reused = report_v1_touchpoints_post.sync_detailed(client=client, body=touchpoint, idempotency_key=key)
    assert expect(reused, Problem).type_ == "/problems/idempotency-key-reused"
    status = status_v1_touchpoints_touchpoint_id_get.sync_detailed(accepted.id, client=client, wait_ms=WAIT_MS)
    return accepted.id, expect(status, Recorded).customer_id


def view(client: AuthenticatedClient, customer_id: UUID, after: UUID) -> CustomerView:
    """The customer, once the view holds an event."""
    read = customer_v1_customers_customer_id_get.sync_detailed
    return expect(read(customer_id, client=client, after=str(after), wait_ms=WAIT_MS), CustomerView)


def read(client: AuthenticatedClient, customer_id: UUID, after: UUID) -> None:
    """Reads the view, and the timeline."""
    shown = view(client, customer_id, after)
    assert shown.interactions
    assert (shown.interactions.count, shown.interactions.last[0].subject) == (1, "保养预约")
    timeline = timeline_v1_customers_customer_id_timeline_get.sync_detailed(customer_id, client=client)
    [entry] = expect(timeline, TimelinePage).entries
    assert isinstance(entry, InteractionEntry)
    assert (entry.kind, entry.occurred_at.utcoffset()) == ("call.ended", UTC.utcoffset(None))


def follow(client: AuthenticatedClient, customer_id: UUID) -> None:
    """Reads the first event of the customer's stream."""
    with client.get_httpx_client().stream("GET", f"/v1/customers/{customer_id}/stream") as answer:
        fields: dict[str, str] = {}
        for line in answer.iter_lines():
            if not line:
                break
            name, _, value = line.partition(": ")
            fields[name] = value
    event = SnapshotEvent.from_dict({**fields, "data": json.loads(fields["data"])})
    assert event.data.customer_id == customer_id


def open_ticket(client: AuthenticatedClient, customer_id: UUID) -> None:
    """Opens a ticket, and finds it among the customer's."""
    new = NewTicket(kind=TicketKind.COMPLAINT, customer=NamedCustomer(customer_id=customer_id), subject="No call back")
    opened = expect(post_v1_tickets.sync_detailed(client=client, body=new), Ticket)
    page = expect(get_v1_tickets.sync_detailed(client=client, customer_id=customer_id), TicketPage)
    assert [one.number for one in page.tickets] == [opened.number]


def run_import(client: AuthenticatedClient) -> None:
    """Uploads a sheet of one customer, runs it, and waits until its row is recorded."""
    sheet = f"客户编号,姓名,手机\r\nC-{uuid4().hex[:8]},陈静怡,138{uuid4().int % 10**8:08d}\r\n"
    uploaded = upload_v1_imports_post.sync_detailed(
        client=client, body=File(BytesIO(sheet.encode())), name="customers.csv", system=f"erp-{uuid4().hex[:8]}"
    )
    import_id = expect(uploaded, ImportAnswer).import_id
    _until(client, import_id, "checked")
    expect(run_v1_imports_import_id_run_post.sync_detailed(import_id, client=client), ImportAnswer)
    assert _until(client, import_id, "done").progress.recorded == 1


def _until(client: AuthenticatedClient, import_id: UUID, state: str) -> ImportAnswer:
    while True:
        answer = one_v1_imports_import_id_get.sync_detailed(import_id, client=client, wait_ms=WAIT_MS)
        found = expect(answer, ImportAnswer)
        if found.state == state:
            return found
        assert found.state in ("waiting", "checked", "running"), found


def merge(client: AuthenticatedClient) -> None:
    """Merges two customers that were registered by hand, meets the redirect, and undoes the merge."""
    one, other = (register(client, name) for name in ("王小明", "王晓明"))
    request = MergeRequest(into=one.profile_id, from_=[other.profile_id])
    merged = expect(post_v1_merges.sync_detailed(client=client, body=request), Merged)
    assert merged.merges
    [made] = merged.merges
    view(client, one.profile_id, made.event_id)
    moved = expect(customer_v1_customers_customer_id_get.sync_detailed(other.profile_id, client=client), Moved)
    assert moved.customer_id == one.profile_id
    undone = post_v1_merges_merge_id_undo.sync_detailed(made.merge_id, client=client)
    assert view(client, other.profile_id, expect(undone, Unmerged).event_id).customer_id == other.profile_id


def register(client: AuthenticatedClient, name: str) -> Written:
    """Registers a customer by hand, and waits until the view has it."""
    new = NewCustomer(name=Name(display=name))
    answer = post_v1_customers.sync_detailed(client=client, body=new)
    written = expect(answer, Written)
    view(client, written.customer_id, UUID(answer.headers["Rapport-Event-Id"].partition(",")[0]))
    return written


def main() -> None:
    """Does everything, and prints each step that is done."""
    client = AuthenticatedClient(base_url=os.environ["GATEWAY"], token=os.environ["KEY"], timeout=Timeout(40.0))
    with client:
        touchpoint_id, customer_id = report(client)
        steps: list[tuple[str, Callable[[], None]]] = [
            ("read", lambda: read(client, customer_id, touchpoint_id)),
            ("follow", lambda: follow(client, customer_id)),
            ("open_ticket", lambda: open_ticket(client, customer_id)),
            ("run_import", lambda: run_import(client)),
            ("merge", lambda: merge(client)),
        ]
        for name, step in steps:
            step()
            print(name)


if __name__ == "__main__":
    main()
