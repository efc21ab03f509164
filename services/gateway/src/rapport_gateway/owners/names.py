"""The names of customers in the answers of owners, which know customers by their ids alone."""

from typing import Any
from uuid import UUID

import orjson
from fastapi import Response

from rapport_gateway.access.audience import CUSTOMERS
from rapport_gateway.access.visibility import Visibility
from rapport_shared.callers import Caller

NAME = "customer_name"


async def with_names(visibility: Visibility, answer: Response, caller: Caller) -> Response:
    """The answer, in which every part that has a `customer_id` has the customer's name, too: one query for all.

    The name is null where nobody stated one, and where the caller may not know it.
    """
    if answer.status_code != 200:
        return answer
    body = orjson.loads(answer.body)
    parts = _parts(body)
    ids = sorted({UUID(part["customer_id"]) for part in parts})
    readable = await visibility.seen(ids, caller) if caller.may(CUSTOMERS) else set()
    names = await visibility.views.names_of(readable) if readable else {}
    for part in parts:
        part[NAME] = names.get(UUID(part["customer_id"]))
    kept = {name: text for name, text in answer.headers.items() if name != "content-length"}
    return Response(orjson.dumps(body), 200, kept)


def _parts(body: dict[str, Any]) -> list[dict[str, Any]]:
    """What has a customer: the answer itself, or the entries of its lists."""
    entries = [entry for value in body.values() if isinstance(value, list) for entry in value]
    return [one for one in (body, *entries) if isinstance(one, dict) and "customer_id" in one]
