"""What a caller of a unit gets of an owner's answers: owners know neither the view nor who may see whom."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from fastapi import Request, Response

from rapport_gateway.owner_routes import Reach
from rapport_gateway.visibility import Visibility, lies_in
from rapport_shared.callers import Caller
from rapport_shared.errors import FORBIDDEN, Problem


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of callers of a unit; a caller of the whole firm has none."""

    visibility: Visibility

    async def admit(self, reach: Reach, request: Request, caller: Caller) -> None:
        """Raises a 404 for a customer that the caller may not know of, a 403 for what is about the whole firm."""
        if reach == "firm":
            raise Problem(FORBIDDEN, "This is about all customers: it is for callers of the whole firm.")
        if reach == "customer" and (customer_id := _uuid(request.path_params["customer_id"])) is not None:
            view = await self.visibility.known(customer_id, caller)
            if view.moved_to is not None:
                await self.visibility.known(view.moved_to, caller)

    async def narrow(self, reach: Reach, answer: Response, caller: Caller) -> Response:
        """The answer without what the caller may not know of. A page may be short; its cursor goes on all the same."""
        if answer.status_code != 200 or reach not in ("customers", "members", "units"):
            return answer
        body = orjson.loads(answer.body)
        if reach == "units":
            isolated = await self.visibility.isolated()
            body["units"] = [one for one in body["units"] if may_sum(caller.unit, one["unit"], isolated)]
        else:
            body[reach] = await self._own(body[reach], caller)
        return Response(orjson.dumps(body), media_type="application/json")

    async def _own(self, lines: Sequence[dict[str, Any]], caller: Caller) -> list[dict[str, Any]]:
        listed = await self.visibility.listed([UUID(line["customer_id"]) for line in lines], caller)
        return [line for line in lines if UUID(line["customer_id"]) in listed]


def may_sum(own: str, unit: str, isolated: Sequence[str]) -> bool:
    """Whether a caller of `own` may read sums of `unit`: they count what is below it, so no other's franchise is."""
    foreign = [root for root in isolated if not lies_in(own, root)]
    return not any(lies_in(root, unit) or lies_in(unit, root) for root in foreign)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
