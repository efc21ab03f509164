"""Commands on their way to the owners: nothing lost, nothing added, nothing broken by what a caller may send."""

from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rapport_gateway.owners.routes import ROUTES
from rapport_shared.callers import Caller, CallerTokens
from rapport_shared.web.limits import MAX_BODY_BYTES
from rapport_shared.web.routing import undeclared_routes
from tests.unit.gateway_edge.edge import EVERYTHING, KEY_ID, NOW, SECRET, Edge

CUSTOMER = "/v1/customers/0198f000-0000-7000-8000-0000000000aa"
Owner = Callable[[httpx.Request], httpx.Response]


def edge(owner: Owner, caller: Caller = EVERYTHING) -> tuple[Edge, list[httpx.Request]]:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return owner(request)

    return Edge(caller=caller, owner=httpx.MockTransport(answer)), seen


def agree(_: httpx.Request) -> httpx.Response:
    return httpx.Response(200, json={})


async def test_a_command_reaches_the_owner_as_it_came() -> None:
    gateway, seen = edge(agree)
    headers = {"If-Match": '"7"', "Idempotency-Key": "k-1", "traceparent": "00-x", "Content-Type": "application/json"}
    body = '{"name": {"display": "王晓明"}}'.encode()
    await gateway.call("PATCH", f"{CUSTOMER}/record?a=b%20c", content=body, headers={**headers, "Cookie": "x=1"})
    [request] = seen
    assert (request.method, request.url.host) == ("PATCH", "customer.test")
    assert request.url.raw_path == f"{CUSTOMER}/record?a=b%20c".encode()
    assert request.content == body
    assert {name: request.headers[name] for name in headers} == headers
    assert "cookie" not in request.headers


async def test_the_owner_is_told_who_calls() -> None:
    gateway, seen = edge(agree)
    await gateway.call("GET", "/v1/units", headers={"Authorization": "Bearer rk_the-key-itself"})
    token = seen[0].headers["authorization"].removeprefix("Bearer ")
    assert "rk_the-key-itself" not in token
    assert CallerTokens(SECRET).read(token, NOW + timedelta(seconds=5)) == EVERYTHING


async def test_the_owners_answer_comes_back_as_it_is() -> None:
    headers = {
        "ETag": '"8"',
        "Location": "/v1/customers/x",
        "Cache-Control": "no-store",
        "Retry-After": "3",
        "Rapport-Event-Id": str(uuid4()),
        "Idempotency-Replayed": "true",
        "Content-Type": "application/problem+json",
    }
    gateway, _ = edge(lambda _: httpx.Response(412, headers={**headers, "Server": "owner"}, content=b'{"a":1}'))
    answer = await gateway.call("PUT", f"{CUSTOMER}/owner", json={})
    assert (answer.status_code, answer.content) == (412, b'{"a":1}')
    assert {name: answer.headers[name] for name in headers} == headers
    assert "server" not in answer.headers


@pytest.mark.parametrize("error", [httpx.ConnectError, httpx.ReadTimeout, httpx.RemoteProtocolError, httpx.PoolTimeout])
async def test_an_owner_that_is_away_is_a_503(error: type[httpx.TransportError]) -> None:
    def away(_: httpx.Request) -> httpx.Response:
        raise error("away")

    gateway, _ = edge(away)
    answer = await gateway.call("POST", "/v1/tickets", json={})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


@pytest.mark.parametrize(
    "path",
    ["a%3Fb", "a%23b", "a%25b", "a%2Fb", "%E5%8C%97", "%FF", "a%20b", "a/b/c", "a;b", "a%5C"],
)
async def test_a_path_names_the_same_thing_to_the_owner(path: str) -> None:
    gateway, seen = edge(agree)
    answer = await gateway.call("PUT", f"/v1/units/{path}", json={})
    assert answer.status_code == 200, answer.text
    assert seen[0].url.raw_path == f"/v1/units/{path}".encode()


@pytest.mark.parametrize("path", ["%2E%2E/customers", "a/%2e%2e/b", "..%2Fcustomers", "%2E", "a%00b", "a%0Ab"])
async def test_a_path_cannot_climb_out_of_its_scope(path: str) -> None:
    gateway, seen = edge(agree)
    assert (await gateway.call("PUT", f"/v1/units/{path}", json={})).status_code == 404
    assert not seen


async def test_headers_that_are_not_ascii_break_nothing() -> None:
    gateway, seen = edge(agree)
    answer = await gateway.call("POST", "/v1/tickets", json={}, headers={"Idempotency-Key": "schlüssel".encode()})
    assert answer.status_code == 200
    assert (b"idempotency-key", "schlüssel".encode()) in [(n.lower(), v) for n, v in seen[0].headers.raw]


async def test_a_command_over_the_limit_never_reaches_the_owner() -> None:
    gateway, seen = edge(agree)
    answer = await gateway.call("POST", "/v1/tickets", content=b"x" * (MAX_BODY_BYTES + 1))
    assert answer.status_code == 413
    assert not seen


async def test_every_passed_route_asks_for_its_scope() -> None:
    gateway, seen = edge(agree, Caller(str(KEY_ID)))
    for passed in ROUTES:
        path = passed.path.replace("{path:path}", "x").replace("{purpose}", "x").replace("{key}", "x")
        for name in ("customer_id", "ticket_id", "touchpoint_id"):
            path = path.replace(f"{{{name}}}", str(uuid4()))
        answer = await gateway.call(passed.method, path, json={})
        assert (answer.status_code, answer.json()["scope"]) == (403, passed.scope), path
    assert not seen


def test_every_route_of_the_edge_declares_whom_it_serves() -> None:
    assert not undeclared_routes(Edge().application.router)


AGREED, _ = edge(agree)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60), st.binary(max_size=40))
async def test_arbitrary_paths_and_queries_never_break_the_edge(path: bytes, query: bytes) -> None:
    quoted = "".join(f"%{byte:02X}" for byte in path)
    asked = "".join(f"%{byte:02X}" for byte in query)
    answer = await AGREED.call("GET", f"/v1/units/{quoted}?cursor={asked}")
    assert answer.status_code in (200, 404)
