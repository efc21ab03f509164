"""Scope × section × door: what a key may not read of a customer leaves the gateway by no door."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
import orjson
import pytest

from rapport_gateway.access.audience import SECTION_SCOPES
from tests.e2e.test_value import NET, Company, company, in_force
from tests.support.conditions import until
from tests.support.stack import Caller

pytestmark = pytest.mark.asyncio(loop_scope="session")

HELD_BACK = {"value": "values:read", "segments": "segments:read"}
"""The sections that need more than `customers:read`."""
SMALL = 1_000
"""Smaller numbers than this are too common to tell whose they are."""


async def test_every_section_names_its_scope() -> None:
    assert {name: scope for name, scope in SECTION_SCOPES.items() if scope != "customers:read"} == HELD_BACK


@dataclass(frozen=True)
class Known:
    """A customer of whom everything is known, and by section what can be read in no other."""

    made: Company
    canaries: dict[str, set[str]]

    @property
    def path(self) -> str:
        return f"/v1/customers/{self.made.customer_id}"


async def known(caller: Caller, segment: str) -> Known:
    made = await company(caller)
    view = await made.settled()

    async def is_a_member() -> bool:
        return segment in (await made.get(""))["segments"]

    await until("the customer is in the segment", is_a_member)
    body = {"owner": f"owner-{segment}", "reason": "a canary"}
    owned = await caller.call("PUT", f"/v1/customers/{made.customer_id}/owner", 200, json=body)
    view = await caller.view(made.customer_id, owned.headers["rapport-event-id"], settled=True)
    reported = (await made.get("/timeline?limit=200&channel=erp"))["entries"]
    plain = set(scalars([reported, *(section for name, section in view.items() if name not in HELD_BACK)]))
    canaries = {name: set(scalars(view[name])) - plain for name in HELD_BACK}
    assert all(canaries.values()), f"a section tells nothing of its own: {canaries}"
    return Known(made, canaries)


def scalars(section: Any) -> Iterator[str]:
    """The texts and the larger numbers in a section."""
    match section:
        case dict():
            for inner in section.values():
                yield from scalars(inner)
        case list():
            for inner in section:
                yield from scalars(inner)
        case str() if len(section) > 5:
            yield section
        case int() if not isinstance(section, bool) and abs(section) >= SMALL:
            yield str(section)


async def through_doors(caller: Caller, known: Known, headers: dict[str, str]) -> dict[str, Any]:
    """The answers that a key gets of the customer."""
    answers: dict[str, Any] = {}
    for door in ("", "/timeline?limit=200", "/hand-overs", "/relations", "/explain?field=identity.name"):
        answers[door] = (await caller.call("GET", known.path + door, 200, headers=headers)).json()
    lookup = {"identifiers": [{"type": "external", "system": "erp-value-test", "value": known.made.record}]}
    answers["lookup"] = (await caller.call("POST", "/v1/customers/lookup", 200, json=lookup, headers=headers)).json()
    async with caller.client.stream("GET", f"{known.path}/stream", headers=headers) as events:
        answers["stream"] = await first_event(events)
    return answers


async def first_event(events: httpx.Response) -> Any:
    async for line in events.aiter_lines():
        if line.startswith("data: "):
            return orjson.loads(line.removeprefix("data: "))
    raise AssertionError("the stream has no event")


async def test_what_a_key_may_not_read_leaves_by_no_door(caller: Caller) -> None:
    segment = f"canary-{uuid4().hex[:8]}"
    document = {"description": "Buys for much.", "when": {"reading": "value:lifetime", "at_least": NET}}
    explained = {"value": "value.tier", "segments": f"segments.{segment}"}
    async with in_force(caller, "segment", segment, document):
        of = await known(caller, segment)
        for held in (set(), {"value"}, {"segments"}, {"value", "segments"}):
            scopes = ["customers:read", *(HELD_BACK[name] for name in sorted(held))]
            body = {"name": "a canary", "channel": "*", "scopes": scopes}
            key = (await caller.call("POST", "/v1/keys", 201, json=body)).json()["key"]
            headers = {"Authorization": f"Bearer {key}"}
            answers = await through_doors(caller, of, headers)
            for section in HELD_BACK:
                shown = {door for door, told in answers.items() if not of.canaries[section].isdisjoint(scalars(told))}
                if section in held:
                    assert {"", "stream"} <= shown, f"{section} is not shown to {scopes}"
                else:
                    assert not shown, f"{section} is shown to {scopes} by {shown}"
                    await caller.call("GET", f"{of.path}?sections={section}", 403, headers=headers)
                    await caller.call("GET", f"{of.path}/explain?field={explained[section]}", 403, headers=headers)
            assert set(answers[""].get("withheld", [])) == HELD_BACK.keys() - held
