"""Each request that is refused or fails is one line of the log; those that wait on purpose are not in the times."""

import logging
from collections.abc import AsyncIterator
from typing import Annotated, Any

import httpx
import pytest
from fastapi import Request
from fastapi.responses import StreamingResponse

from rapport_shared.callers import Caller
from rapport_shared.errors import CONFLICT, UNAUTHENTICATED, Problem
from rapport_shared.telemetry import Metrics
from rapport_shared.web.application import Check, make_application
from rapport_shared.web.routing import scoped

KEY_ID = "0198f3a2-0000-7000-8000-000000000009"
PHONE = "+8613800138000"


async def authenticate(request: Request) -> Caller:
    if "authorization" not in request.headers:
        raise Problem(UNAUTHENTICATED, "Nobody.")
    return Caller(KEY_ID, scopes=frozenset({"customers:read"}))


def application(metrics: Metrics, checks: list[Check] | None = None) -> Any:
    app = make_application("log", metrics=metrics, authenticate=authenticate, checks=checks or [])

    @app.get("/v1/things/{name}")
    async def thing(
        name: str, caller: Annotated[Caller, scoped("customers:read")], wait_ms: str | None = None
    ) -> dict[str, str]:
        if name == "conflict":
            raise Problem(CONFLICT, "No.")
        if name == PHONE:
            raise RuntimeError(PHONE)
        return {"name": name}

    @app.get("/v1/stream")
    async def stream(caller: Annotated[Caller, scoped("customers:read")]) -> StreamingResponse:
        async def events() -> AsyncIterator[bytes]:
            yield b"data: 1\n\n"

        return StreamingResponse(events(), media_type="text/event-stream")

    return app


async def get(app: Any, path: str, *, key: bool = True) -> httpx.Response:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://log") as client:
        return await client.get(path, headers={"Authorization": "Bearer x"} if key else {})


def lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    names = ("message", "levelname", "route", "status", "problem", "key_id")
    return [
        {name: getattr(record, name, None) for name in names}
        for record in caplog.records
        if record.message in ("a request was refused", "a request failed")
    ]


async def test_a_request_that_is_refused_is_one_line(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "rapport")
    app = application(Metrics())
    await get(app, "/v1/things/well")
    await get(app, "/v1/things/conflict")
    await get(app, "/v1/things/well", key=False)
    await get(app, f"/{PHONE}")
    found = [(line["route"], line["status"], line["problem"], line["key_id"]) for line in lines(caplog)]
    assert found == [
        ("/v1/things/{name}", 409, "conflict", KEY_ID),
        ("/v1/things/{name}", 401, "unauthenticated", None),
        ("unmatched", 404, "not-found", None),
    ]
    assert PHONE not in str([vars(record) for record in caplog.records])


async def test_a_request_that_fails_is_one_line_above_and_says_nothing_personal(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "rapport")
    assert (await get(application(Metrics()), f"/v1/things/{PHONE}")).status_code == 500
    (line,) = lines(caplog)
    assert (line["levelname"], line["status"], line["problem"]) == ("WARNING", 500, "internal")
    assert PHONE not in str([vars(record) for record in caplog.records])


async def test_requests_that_wait_on_purpose_are_counted_and_not_timed() -> None:
    metrics = Metrics()
    app = application(metrics)
    for path in ("/v1/things/a?wait_ms=1", "/v1/things/a?wait_ms=250", "/v1/stream"):
        assert (await get(app, path)).status_code == 200
    for path in ("/v1/things/a", "/v1/things/a?wait_ms=0", "/v1/things/a?wait_ms=x"):
        await get(app, path)
    values = {
        (sample.name, sample.labels["route"]): sample.value
        for family in metrics.registry.collect()
        for sample in family.samples
        if sample.name in ("rapport_waiting_requests_total", "rapport_request_seconds_count")
    }
    assert values == {
        ("rapport_waiting_requests_total", "/v1/things/{name}"): 2,
        ("rapport_waiting_requests_total", "/v1/stream"): 1,
        ("rapport_request_seconds_count", "/v1/things/{name}"): 3,
    }


async def test_readiness_leaves_out_the_checks_that_are_excluded() -> None:
    async def away() -> str | None:
        return "Kafka is away"

    async def well() -> str | None:
        return None

    app = application(Metrics(), [Check("kafka", away), Check("database", well)])
    assert (await get(app, "/readyz")).json() == {"status": "not ready", "amiss": ["Kafka is away"]}
    assert (await get(app, "/readyz?exclude=kafka")).status_code == 200
    assert (await get(app, "/readyz?exclude=database")).status_code == 503
    assert (await get(app, "/readyz?exclude=kafka&exclude=database")).status_code == 200
    assert (await get(app, "/readyz?exclude=kafak")).status_code == 422
