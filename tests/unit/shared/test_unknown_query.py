"""A query parameter that a path does not have is refused, and the nearest that it has is named."""

from typing import Annotated

import httpx
import pytest
from fastapi import APIRouter, Query, Request

from rapport_shared.callers import Caller
from rapport_shared.telemetry import Metrics
from rapport_shared.web.application import make_application
from rapport_shared.web.nearest import unknown_name
from rapport_shared.web.routing import PUBLIC, any_query, scoped


async def asked(path: str) -> httpx.Response:
    async def authenticate(_: Request) -> Caller:
        return Caller("key", scopes=frozenset({"*"}))

    routes = APIRouter()

    @routes.get("/list")
    async def page(
        caller: Annotated[Caller, scoped("customers:read")],
        sections: str | None = None,
        since: Annotated[str | None, Query(alias="from")] = None,
    ) -> dict[str, str | None]:
        return {"sections": sections, "from": since}

    @routes.get("/passed")
    @any_query
    async def passed(caller: Annotated[Caller, scoped("customers:read")]) -> dict[str, str]:
        return {}

    @routes.get("/open", dependencies=[PUBLIC])
    async def public() -> dict[str, str]:
        return {}

    app = make_application("query", metrics=Metrics(), authenticate=authenticate)
    app.include_router(routes)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://service.test") as client:
        return await client.get(path)


@pytest.mark.parametrize(
    ("path", "places"),
    [
        ("/list?section=value", {"/query/section": "There is no such parameter; the nearest is `sections`."}),
        (
            "/list?since=1&x=2",
            {
                "/query/since": "There is no such parameter; there are `from`, `sections`.",
                "/query/x": "There is no such parameter; there are `from`, `sections`.",
            },
        ),
        ("/open?x", {"/query/x": "There is no such parameter."}),
    ],
)
async def test_what_a_path_does_not_have_is_refused(path: str, places: dict[str, str]) -> None:
    answer = await asked(path)
    assert answer.status_code == 422
    assert {one["pointer"]: one["message"] for one in answer.json()["errors"]} == places


@pytest.mark.parametrize("path", ["/list", "/list?sections=value&from=2026", "/passed?whatever=1", "/open"])
async def test_what_a_path_has_is_taken(path: str) -> None:
    assert (await asked(path)).status_code == 200


def test_of_many_names_none_is_listed_where_none_is_near() -> None:
    assert unknown_name("kind", "zzz", [f"name-{number}" for number in range(50)]) == "There is no such kind."
