"""Whom rows are like: only those are asked about whom nobody knows, and an import waits for no answer."""

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from rapport_gateway.imports.likeness import ASKED_AT_ONCE, by_likeness, customer_service
from rapport_gateway.imports.registers import Asked, Match
from rapport_shared.callers import CallerTokens
from tests.unit.imports.sheets import NOW

KNOWN = uuid4()
LIKE = uuid4()


def report(record: str) -> str:
    return json.dumps(
        {"id": "1", "source": {"system": "erp", "record": record}, "data": {"name": {"display": "王小明"}}}
    )


async def known(rows: Sequence[Asked]) -> list[Match | None]:
    return [Match(KNOWN, [{"code": "routed"}]) if row.keys else None for row in rows]


async def test_rows_that_nobody_knows_are_asked_about_in_their_order() -> None:
    asked: list[Any] = []

    def answer(request: httpx.Request) -> httpx.Response:
        profiles = json.loads(request.content)["profiles"]
        asked.append(profiles)
        reason = {"code": "name_exact", "text": "The names are the same.", "text_zh": "…"}
        match = {"customer_id": str(LIKE), "certain": False, "probability": 0.8, "reasons": [reason]}
        return httpx.Response(200, json={"matches": [match if i % 2 else None for i in range(len(profiles))]})

    ask = customer_service("http://customer.test/", CallerTokens("s" * 32), lambda: NOW, httpx.MockTransport(answer))
    rows = [
        Asked(None, [("phone", "k")], report("K-0")),
        Asked(None, []),
        *(Asked(None, [], report(f"K-{n}")) for n in range(150)),
    ]
    found = await by_likeness(known, ask)(rows)
    assert [len(profiles) for profiles in asked] == [ASKED_AT_ONCE, 150 - ASKED_AT_ONCE]
    assert asked[0][3]["source"]["record"] == "K-3"
    assert found[:2] == [Match(KNOWN, [{"code": "routed"}]), None]
    assert found[2] is None
    assert found[3] is not None
    assert (found[3].customer_id, found[3].reasons[0]["certain"]) == (LIKE, False)


@pytest.mark.parametrize("status", [503, 422, 200])
async def test_where_nobody_answers_the_row_says_that_it_is_not_known(status: int) -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(status, json={"no": "matches"}))
    ask = customer_service("http://customer.test", CallerTokens("s" * 32), lambda: NOW, transport)
    [found] = await by_likeness(known, ask)([Asked(UUID(int=1), [], report("K-1"))])
    assert found is not None
    assert (found.customer_id, found.reasons[0]["code"]) == (None, "likeness_unknown")
