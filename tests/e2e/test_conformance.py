"""Whatever is asked, by whoever may do one thing: no answer is a 5xx, or one that the gateway's document lacks."""

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

import httpx
import hypothesis
import pytest
import pytest_asyncio
import schemathesis
from hypothesis import HealthCheck, Phase
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.core.result import Ok

from deploy.local.stack import Stack
from rapport_shared.callers import SCOPES
from tests.support.conformance import conform, document
from tests.support.stack import Caller

pytestmark = pytest.mark.asyncio(loop_scope="session")

EXAMPLES = 1
"""Valid requests for each operation, and as many invalid ones: generating one takes up to a second."""
AT_ONCE = 8
POLICY = re.compile(r"/v1/policies/[a-z]+/")
LEFT_OUT = {
    "GET /v1/customers/{customer_id}/stream": "a stream does not end; the generated clients read it",
    "POST /v1/rebuilds": "a rebuild reads all topics, and there is one at a time; test_rebuild begins it",
    "POST /v1/imports": "to generate a file takes longer than all else; test_imports and the clients send files",
    "POST /v1/quarantine/replay": "it would record what other tests keep in quarantine",
}


@dataclass(frozen=True)
class Request:
    """A generated request, without a key."""

    method: str
    path: str
    options: dict[str, Any]


@pytest_asyncio.fixture(scope="module")
async def known(stack: Stack) -> dict[str, str]:
    """Ids by the names of the path parameters that they are for: of one customer, a ticket, an import, …"""
    headers = {"Authorization": f"Bearer {stack.key}"}
    async with httpx.AsyncClient(base_url=stack.gateway, headers=headers, timeout=40, trust_env=False) as client:
        caller = Caller(client)
        number = f"+86138{uuid4().int % 10**8:08d}"
        touchpoint: dict[str, Any] = {
            "id": str(uuid4()),
            "channel": "phone",
            "kind": "call.ended",
            "occurred_at": "2026-03-01T09:30:00+08:00",
            "identifiers": [{"type": "phone", "value": number}],
            "data": {"direction": "inbound", "promises": [{"text": "call", "due_at": "2026-03-02T09:00:00+08:00"}]},
        }
        await caller.report(touchpoint)
        status = await caller.status(touchpoint["id"])
        ticket = {"kind": "complaint", "customer": {"customer_id": status["customer_id"]}, "subject": "No call back"}
        opened = await caller.open_ticket(ticket)
        sheet = {
            "params": {"name": "a.csv", "system": f"erp-{uuid4().hex[:8]}"},
            "content": "客户编号,姓名\nC-1,陈静怡\n",
        }
        uploaded = (await caller.call("POST", "/v1/imports", 202, **sheet)).json()
        return {
            "customer_id": status["customer_id"],
            "interaction_id": status["interaction_id"],
            "touchpoint_id": touchpoint["id"],
            "ticket": opened["number"],
            "import_id": uploaded["import_id"],
            "name": "default",
            "code": "validation",
            "version": "1",
            "purpose": "marketing",
        }


def operations() -> Iterator[tuple[str, APIOperation[Any, Any, Any, Any]]]:
    for found in schemathesis.openapi.from_dict(document()).get_all_operations():
        assert isinstance(found, Ok), found
        operation = found.ok()
        place = f"{operation.method.upper()} {operation.path}"
        if place not in LEFT_OUT:
            yield place, operation


def requests_of(operation: APIOperation[Any, Any, Any, Any], known: dict[str, str]) -> list[Request]:
    """Generated requests, the same each time: as they are, and about what there is."""
    found: list[Request] = []
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
        for case in cases(operation, mode):
            found.append(request_of(case))
            case.path_parameters = {name: known.get(name, value) for name, value in case.path_parameters.items()}
            found.append(request_of(case))
            if mode is GenerationMode.POSITIVE:
                case.query = {name: value for name, value in case.query.items() if name in required(operation)}
                found.append(request_of(case))
    return found


def required(operation: APIOperation[Any, Any, Any, Any]) -> set[str]:
    return {parameter.name for parameter in operation.query if parameter.is_required}


def cases(operation: APIOperation[Any, Any, Any, Any], mode: GenerationMode) -> list[Case[Any]]:
    found: list[Case[Any]] = []

    @hypothesis.settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @hypothesis.given(operation.as_strategy(generation_mode=mode))
    def collect(case: Case[Any]) -> None:
        found.append(case)

    try:
        collect()
    except hypothesis.errors.Unsatisfiable:
        assert mode is GenerationMode.NEGATIVE, operation.path  # nothing that it could be sent is wrong
    return found


def request_of(case: Case[Any]) -> Request:
    if "wait_ms" in case.query:
        case.query["wait_ms"] = 0
    sent = case.as_transport_kwargs(base_url="http://gateway")
    path = str(sent["url"]).removeprefix("http://gateway")
    options = {
        "params": sent.get("params"),
        "json": sent.get("json"),
        "content": sent.get("data"),
        "headers": {name: value for name, value in sent["headers"].items() if name.lower() not in OWN_HEADERS},
    }
    return Request(case.method, path, {name: value for name, value in options.items() if value is not None})


OWN_HEADERS = {"authorization", "x-schemathesis-testcaseid", "user-agent"}


@pytest.fixture(scope="module")
def generated(known: dict[str, str]) -> dict[str, list[Request]]:
    """By operation. All kinds of policies have the same routes: what is generated for one is sent to each."""
    found: dict[str, list[Request]] = {}
    for place, operation in operations():
        first = POLICY.sub("/v1/policies/matching/", place)
        if first in found:
            kind = POLICY.search(place)
            assert kind is not None
            found[place] = [replace(one, path=POLICY.sub(kind[0], one.path)) for one in found[first]]
        else:
            found[place] = requests_of(operation, known)
    return found


async def faults(gateway: str, key: str, requests: list[Request]) -> list[str]:
    """What is wrong with the answers to requests, a line each."""
    found: list[str] = []
    waiting = iter(requests)
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(base_url=gateway, headers=headers, timeout=60, trust_env=False) as client:

        async def work() -> None:
            for request in waiting:
                try:
                    answer = await client.request(request.method, request.path, **request.options)
                except (httpx.InvalidURL, httpx.LocalProtocolError, UnicodeEncodeError):
                    continue  # what cannot be sent is not asked
                try:
                    assert answer.status_code < 500, f"{request.path} answers {answer.status_code}"
                    conform(request.method, answer.request.url.path, answer)
                except AssertionError as fault:
                    found.append(f"{request.method} {request.path}: {fault}")

        await asyncio.gather(*(work() for _ in range(AT_ONCE)))
    return found


async def test_whoever_may_do_all_meets_documented_answers(stack: Stack, generated: dict[str, list[Request]]) -> None:
    found = await faults(stack.gateway, stack.key, [one for requests in generated.values() for one in requests])
    assert not found, "\n".join(found)


@pytest.mark.parametrize("scope", sorted(set(SCOPES) - {"*"}))
async def test_whoever_may_do_one_thing_meets_documented_answers(
    scope: str, caller: Caller, stack: Stack, generated: dict[str, list[Request]]
) -> None:
    body = {"name": scope, "channel": "*", "scopes": [scope]}
    key = (await caller.call("POST", "/v1/keys", 201, json=body)).json()["key"]
    found = await faults(stack.gateway, key, [requests[1] for requests in generated.values()])
    assert not found, "\n".join(found)
