"""What the facts say of quarantined touchpoints: what is in quarantine still, and what was mended or dismissed."""

from collections.abc import Collection, Sequence
from typing import Any, Final
from uuid import UUID

import orjson

from rapport_gateway.projection.store.touchpoints import DISMISSED, MENDED, QUARANTINED
from rapport_shared.contracts.ids import resolution_id
from rapport_shared.database import Row

ACCEPTED: Final = {"state": "accepted"}

Facts = Sequence[Row]
"""Rows of facts that name one or more touchpoints: `touchpoint_id`, `type`, `subject`, `data`."""


def status(facts: Facts) -> dict[str, Any] | None:
    """What became of a touchpoint that is not recorded in the view; None for one that the view has not seen.

    One that was mended is on its way. One that is in quarantine more than once is dismissed when all of it is.
    """
    if any(fact["type"] == MENDED for fact in facts):
        return ACCEPTED
    quarantined = [fact for fact in facts if fact["type"] == QUARANTINED]
    if not quarantined:
        return None
    dismissed = {fact["subject"]: fact for fact in facts if fact["type"] == DISMISSED}
    open_ = next((fact for fact in quarantined if fact["subject"] not in dismissed), None)
    if open_ is None:
        data = orjson.loads(next(iter(dismissed.values()))["data"])
        return {"state": "dismissed", "reason": data["reason"]}
    data = orjson.loads(open_["data"])
    return {"state": "quarantined", "reason": data["reason"], "errors": data["errors"]}


def reason_to_give_up(facts: Facts, awaited: Collection[UUID]) -> str | None:
    """Why a touchpoint of `facts` will not come; None while each may.

    It may when it was mended, or when the event that settles it is among those that are `awaited`: who waits for it
    has just mended it, and the view has not heard of it.
    """
    mended = {fact["touchpoint_id"] for fact in facts if fact["type"] == MENDED}
    for fact in facts:
        if fact["type"] != QUARANTINED or fact["touchpoint_id"] in mended:
            continue
        if resolution_id(UUID(fact["subject"])) not in awaited:
            return str(orjson.loads(fact["data"])["reason"])
    return None
