"""Hot routes answer plain requests as FastAPI does, and leave all others to it."""

from typing import Annotated, Any
from uuid import UUID

import httpx
import pytest
from fastapi import APIRouter, FastAPI, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from deploy.contracts import build_service
from rapport_shared.callers import Caller
from rapport_shared.errors import UNAUTHENTICATED, Problem, not_found
from rapport_shared.telemetry import Metrics
from rapport_shared.web.application import bearer, json_response, make_application
from rapport_shared.web.hot import Endpoint, NotPlain, hot, hot_routes
from rapport_shared.web.routing import api_routes, scoped

ID = "0198f000-0000-7000-8000-000000000001"
KEYS = {
    "reader": Caller("reader", scopes=frozenset({"customers:read"})),
    "stranger": Caller("stranger", scopes=frozenset({"touchpoints:write"})),
}
Reader = Annotated[Caller, scoped("customers:read")]


class Asked(BaseModel):
    """A body."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(max_length=5)]
    parts: tuple[int, ...] = ()


def routes(*, are_hot: bool) -> APIRouter:
    mark = hot if are_hot else _as_it_is
    made = APIRouter(prefix="/v1")

    @made.get("/things/{thing_id}")
    @mark
    async def thing(
        thing_id: UUID, request: Request, caller: Reader, size: Annotated[int, Query(ge=0)] = 3
    ) -> Response:
        """One thing."""
        if thing_id.int == 0:
            raise not_found("thing")
        if thing_id.int == 1:
            raise ZeroDivisionError("it breaks")
        headers = {"ETag": '"1"', "Rapport-Accept": request.headers.get("accept", "")}
        return json_response({"id": str(thing_id), "caller": caller.principal, "size": size}, headers=headers)

    @made.post("/things", status_code=201)
    @mark
    async def make(body: Asked, caller: Reader) -> Response:
        """Makes a thing."""
        return json_response(body.model_dump(), 201)

    return made


def _as_it_is(endpoint: Endpoint) -> Endpoint:
    return endpoint


def application(*, are_hot: bool) -> FastAPI:
    async def authenticate(request: Request) -> Caller:
        try:
            return KEYS[bearer(request)]
        except KeyError:
            raise Problem(UNAUTHENTICATED, "The key is not in force.", headers={"WWW-Authenticate": "Bearer"}) from None

    made = make_application("hot", metrics=Metrics(), authenticate=authenticate, max_body_bytes=100)
    made.include_router(routes(are_hot=are_hot))
    return made


async def ask(app: FastAPI, method: str, path: str, **options: Any) -> tuple[int, dict[str, str], Any]:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://service.test") as client:
        answer = await client.request(method, path, **options)
        return answer.status_code, dict(answer.headers), answer.json()


def as_(name: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {name}"}


REQUESTS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "a plain one": ("GET", f"/v1/things/{ID}", {"headers": as_("reader")}),
    "with a query": ("GET", f"/v1/things/{ID}?size=4", {"headers": as_("reader")}),
    "with a wrong query": ("GET", f"/v1/things/{ID}?size=-4", {"headers": as_("reader")}),
    "an id without hyphens": ("GET", f"/v1/things/{UUID(ID).hex}", {"headers": as_("reader")}),
    "an id that is none": ("GET", "/v1/things/lookup", {"headers": as_("reader")}),
    "an id of the right length that is none": ("GET", f"/v1/things/{'x' * 36}", {"headers": as_("reader")}),
    "a path below it": ("GET", f"/v1/things/{ID}/more", {"headers": as_("reader")}),
    "another method": ("PUT", f"/v1/things/{ID}", {"headers": as_("reader")}),
    "without a key": ("GET", f"/v1/things/{ID}", {}),
    "with a wrong key": ("GET", f"/v1/things/{ID}", {"headers": as_("nobody")}),
    "without the scope": ("GET", f"/v1/things/{ID}", {"headers": as_("stranger")}),
    "a problem": ("GET", f"/v1/things/{UUID(int=0)}", {"headers": as_("reader")}),
    "a bug": ("GET", f"/v1/things/{UUID(int=1)}", {"headers": as_("reader")}),
    "a body": ("POST", "/v1/things", {"headers": as_("reader"), "json": {"name": "one", "parts": [1, 2]}}),
    "a body with unknown fields": ("POST", "/v1/things", {"headers": as_("reader"), "json": {"name": "one", "x": 1}}),
    "a body with wrong fields": ("POST", "/v1/things", {"headers": as_("reader"), "json": {"name": 1, "parts": ["x"]}}),
    "a body that is no object": ("POST", "/v1/things", {"headers": as_("reader"), "json": [1]}),
    "a body that is no JSON": (
        "POST",
        "/v1/things",
        {"headers": {**as_("reader"), "Content-Type": "application/json"}, "content": b"{nope"},
    ),
    "a body over the limit": ("POST", "/v1/things", {"headers": as_("reader"), "json": {"name": "x" * 200}}),
    "a body without its scope": ("POST", "/v1/things", {"headers": as_("stranger"), "json": {"name": "one"}}),
}


@pytest.mark.parametrize(("method", "path", "options"), REQUESTS.values(), ids=REQUESTS.keys())
async def test_a_hot_route_answers_as_fastapi_does(method: str, path: str, options: dict[str, Any]) -> None:
    assert await ask(application(are_hot=True), method, path, **options) == await ask(
        application(are_hot=False), method, path, **options
    )


async def test_a_body_that_grows_past_the_limit_is_refused_while_it_arrives() -> None:
    async def parts() -> Any:
        for _ in range(3):
            yield b"x" * 50

    status, _, problem = await ask(
        application(are_hot=True), "POST", "/v1/things", headers=as_("reader"), content=parts()
    )
    assert (status, problem["type"]) == (413, "/problems/too-large")


def test_marking_a_route_changes_nothing_of_its_description() -> None:
    assert application(are_hot=True).openapi() == application(are_hot=False).openapi()


async def test_a_hot_request_is_measured_under_its_route() -> None:
    metrics = Metrics()

    async def authenticate(_: Request) -> Caller:
        return KEYS["reader"]

    app = make_application("hot", metrics=metrics, authenticate=authenticate)
    app.include_router(routes(are_hot=True))
    await ask(app, "GET", f"/v1/things/{ID}")
    assert 'method="GET",route="/v1/things/{thing_id}",status="200"' in metrics.exposition().decode()


def test_an_endpoint_that_needs_more_than_a_plain_request_gives_cannot_be_hot() -> None:
    made = APIRouter()

    @made.get("/things")
    @hot
    async def things(caller: Reader, wanted: int) -> Response:
        raise AssertionError("it is never asked")

    with pytest.raises(NotPlain, match="wanted"):
        hot_routes(api_routes(made))


def test_the_gateways_hot_routes() -> None:
    assert set(hot_routes(api_routes(build_service("gateway").api.router))) == {
        ("POST", "/v1/touchpoints"),
        ("GET", "/v1/touchpoints/{}"),
        ("GET", "/v1/customers/{}"),
        ("POST", "/v1/customers/lookup"),
    }
