"""Asks the customer service for similar customers, for rows that match no record or identifier in the view."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final
from uuid import UUID

import httpx
import orjson

from rapport_gateway.imports.findings import MESSAGES
from rapport_gateway.imports.registers import Asked, Match, Matcher
from rapport_shared.callers import Caller, CallerTokens
from rapport_shared.clock import Clock

_log = logging.getLogger("rapport.imports")

ASKED_AT_ONCE: Final = 100
PATIENCE_SECONDS: Final = 30.0
_CALLER: Final = Caller("imports", scopes=frozenset({"customers:read"}))

Ask = Callable[[list[dict[str, Any]]], Awaitable[list[Any]]]
"""Answers for each draft of a profile what `POST /v1/matches` says of it. Raises what httpx raises."""


def customer_service(
    url: str, tokens: CallerTokens, clock: Clock, transport: httpx.AsyncBaseTransport | None = None
) -> Ask:
    """Asks the customer service at `url`, under a token of its own."""

    async def ask(drafts: list[dict[str, Any]]) -> list[Any]:
        headers = {"Authorization": f"Bearer {tokens.sign(_CALLER, clock())}"}
        async with httpx.AsyncClient(timeout=PATIENCE_SECONDS, trust_env=False, transport=transport) as client:
            answer = await client.post(f"{url.rstrip('/')}/v1/matches", json={"profiles": drafts}, headers=headers)
        matches: list[Any] = answer.raise_for_status().json()["matches"]
        return matches

    return ask


def by_likeness(known: Matcher, ask: Ask) -> Matcher:
    """The match that `known` finds for a row, else the match of the customer service.

    Where that service does not answer, a row goes on and says that likeness is not known: an import waits for nobody.
    """

    async def whom(rows: Sequence[Asked]) -> list[Match | None]:
        found = await known(rows)
        open_rows = [
            (place, row.report) for place, row in enumerate(rows) if found[place] is None and row.report is not None
        ]
        for first in range(0, len(open_rows), ASKED_AT_ONCE):
            some = open_rows[first : first + ASKED_AT_ONCE]
            for (place, _), match in zip(some, await _asked(ask, [report for _, report in some]), strict=True):
                found[place] = match
        return found

    return whom


async def _asked(ask: Ask, reports: Sequence[str]) -> list[Match | None]:
    try:
        return [_match(answer) for answer in await ask([_draft(report) for report in reports])]
    except (TimeoutError, httpx.HTTPError, ValueError, LookupError) as error:
        _log.warning("likeness is not known", extra={"reason": type(error).__name__})
        return [_UNKNOWN] * len(reports)


def _draft(report: str) -> dict[str, Any]:
    touchpoint = orjson.loads(report)
    source = touchpoint["source"]
    return {
        **({"source": source} if source.get("record") else {}),
        "identifiers": touchpoint.get("identifiers", []),
        "data": touchpoint["data"],
    }


def _match(answer: Any) -> Match | None:
    if answer is None:
        return None
    likely = {"certain": bool(answer["certain"]), "probability": float(answer["probability"])}
    reasons = [
        {"code": str(reason["code"]), "column": None, "message": str(reason["text"]), **likely}
        for reason in answer["reasons"]
    ]
    return Match(UUID(answer["customer_id"]), reasons)


_UNKNOWN: Final = Match(None, [{"code": "likeness_unknown", "column": None, "message": MESSAGES["likeness_unknown"]}])
