"""Limits an owner's answers to what the caller may see: owners do not know the view or its visibility rules."""

import hashlib
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

import orjson
from fastapi import Request, Response
from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from rapport_gateway.access.visibility import Visibility
from rapport_gateway.owners.routes import Reach
from rapport_shared.callers import Caller
from rapport_shared.errors import FORBIDDEN, VALIDATION, FieldProblem, Problem
from rapport_shared.units import lies_in

LISTS: Final = frozenset({"customers", "members"})
_SEALING: Final = {"alg": "dir", "enc": "A256GCM"}


class Limits:
    """Limits of callers of a unit or of one customer; a caller of the whole firm has none.

    A cursor of an owner's list names the customer that the page ended with, who may be one that is hidden: callers of
    a unit get it sealed.
    """

    def __init__(self, visibility: Visibility, secret: str) -> None:
        self.visibility = visibility
        self._key = OctKey.import_key(hashlib.sha256(b"cursors of lists" + secret.encode()).digest())

    async def admit(self, reach: Reach, request: Request, caller: Caller) -> None:
        """Raises a 404 for a customer that the caller may not know of, a 403 for what is about the whole firm.

        The cursor of a list is opened for the owner; raises a 422 for one that is none of the caller's.
        """
        if caller.customer_id is not None:
            await self._admit_to_customer(request, caller)
        if reach == "firm":
            raise Problem(FORBIDDEN, "The request covers all customers. It needs a key without a unit.")
        if reach == "customer" and (customer_id := _uuid(request.path_params["customer_id"])) is not None:
            view = await self.visibility.known(customer_id, caller)
            if view.moved_to is not None:
                await self.visibility.known(view.moved_to, caller)
        if reach in LISTS and "cursor" in request.query_params:
            asked = [(name, value) for name, value in request.query_params.multi_items() if name != "cursor"]
            opened = self._opened(request.query_params["cursor"], caller)
            request.scope["query_string"] = urlencode([*asked, ("cursor", opened)]).encode()

    async def _admit_to_customer(self, request: Request, caller: Caller) -> None:
        """Raises a 403 for what is not about one customer, a 404 for another customer than the caller's."""
        named = _uuid(request.path_params.get("customer_id", ""))
        if named is None or request.method != "GET":
            raise Problem(FORBIDDEN, "This token only reads one customer.")
        await self.visibility.known(named, caller)

    async def narrow(self, reach: Reach, answer: Response, caller: Caller) -> Response:
        """The answer without what the caller may not know of. A page may be short; its cursor goes on all the same."""
        if answer.status_code != 200 or reach not in LISTS | {"units"}:
            return answer
        body = orjson.loads(answer.body)
        if reach == "units":
            isolated = await self.visibility.isolated()
            body["units"] = [one for one in body["units"] if may_sum(caller.unit, one["unit"], isolated)]
        else:
            body[reach] = await self._own(body[reach], caller)
            body["next_cursor"] = self._sealed(body["next_cursor"], caller)
        return Response(orjson.dumps(body), media_type="application/json")

    async def _own(self, lines: Sequence[dict[str, Any]], caller: Caller) -> list[dict[str, Any]]:
        listed = await self.visibility.listed([UUID(line["customer_id"]) for line in lines], caller)
        return [line for line in lines if UUID(line["customer_id"]) in listed]

    def _sealed(self, cursor: str | None, caller: Caller) -> str | None:
        if cursor is None:
            return None
        return jwe.encrypt_compact(_SEALING, orjson.dumps([caller.unit, cursor]), self._key)

    def _opened(self, cursor: str, caller: Caller) -> str:
        try:
            unit, opened = orjson.loads(jwe.decrypt_compact(cursor, self._key).plaintext or b"")
            if unit == caller.unit:
                return str(opened)
        except (JoseError, ValueError, TypeError):
            pass
        place = FieldProblem("/query/cursor", "cursor", "It is not a cursor of this list.")
        raise Problem(VALIDATION, "The cursor is not valid.", errors=[place])


def may_sum(own: str, unit: str, isolated: Sequence[str]) -> bool:
    """Whether a caller of `own` may read sums of `unit`: they count what is below it, so no other's franchise is."""
    foreign = [root for root in isolated if not lies_in(own, root)]
    return not any(lies_in(root, unit) or lies_in(unit, root) for root in foreign)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
