"""The routes of touchpoints: report, and ask what became of one."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from rapport_gateway.api.document import REPORT
from rapport_gateway.api.schemas import Reported, TouchpointStatus, Verdicts
from rapport_gateway.intake.accepting import TouchpointIntake
from rapport_gateway.intake.touchpoints import Checked, read_batch
from rapport_gateway.intake.warnings import Warning, blocked
from rapport_gateway.reads.customers import Views
from rapport_gateway.reads.quarantine import ACCEPTED
from rapport_shared.callers import Caller
from rapport_shared.contracts.touchpoints.examples import EXAMPLES
from rapport_shared.errors import VALIDATION, Problem, not_found
from rapport_shared.web.answers import Responses
from rapport_shared.web.application import json_response
from rapport_shared.web.commands import idempotency_key
from rapport_shared.web.hot import hot
from rapport_shared.web.routing import scoped

MAX_WAIT_MS = 30_000
MAX_WARNINGS = 1_000
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": 'One touchpoint, or `{"touchpoints": […]}` with up to 500 of them.',
        "content": {
            "application/json": {
                "schema": REPORT,
                "examples": {kind: {"value": example} for kind, example in EXAMPLES.items()},
            }
        },
    }
}
_DRY_RUN: Responses = {200: {"model": Verdicts, "description": "What a dry run says of each touchpoint."}}


def router(intake: TouchpointIntake, views: Views) -> APIRouter:
    """Reporting touchpoints."""
    routes = APIRouter(prefix="/v1/touchpoints", tags=["touchpoints"])

    @routes.post("", status_code=202, openapi_extra=_BODY, response_model=Reported, responses=_DRY_RUN)
    @hot
    async def report(
        request: Request,
        caller: Annotated[Caller, scoped("touchpoints:write")],
        dry_run: Annotated[
            bool, Query(description="Only check, and return the customer that the touchpoint would match.")
        ] = False,
    ) -> Response:
        """Reports touchpoints. Each has its `id`, or all are under one `Idempotency-Key`. 503: repeat the same."""
        items, batch = read_batch(await request.body())
        key = idempotency_key(request)
        checked, rejected = await _check(intake, items, caller, key)
        if dry_run:
            rejected |= await intake.reused(checked)
            checked = {index: item for index, item in checked.items() if index not in rejected}
            return json_response(await _verdicts(intake, views, caller, checked, rejected, len(items)))
        if checked:
            rejected |= await intake.accept(checked, caller, request.headers.get("traceparent"))
            checked = {index: item for index, item in checked.items() if index not in rejected}
        if rejected and not batch:
            raise rejected[0]
        if not checked:
            raise Problem(VALIDATION, "No touchpoint of the batch is valid.", rejected=_rejected(rejected))
        warnings = await intake.all_warnings(checked, caller, remember=True)
        accepted = [{"id": str(item.touchpoint.id)} for item in checked.values()]
        answer = {"accepted": accepted, "rejected": _rejected(rejected), "warnings": _listed(warnings)}
        return json_response(answer, 202)

    @routes.get("/{touchpoint_id}", response_model=TouchpointStatus)
    @hot
    async def status(
        touchpoint_id: UUID,
        caller: Annotated[Caller, scoped("touchpoints:read")],
        wait_ms: Annotated[int, Query(ge=0, le=MAX_WAIT_MS)] = 0,
    ) -> Response:
        """The outcome of a touchpoint: accepted, recorded, anonymous, retracted, quarantined or dismissed."""
        deadline = intake.clock().timestamp() + wait_ms / 1000
        while True:
            found = await views.touchpoint_status(touchpoint_id)
            if found is not None and found != ACCEPTED:
                return json_response(found)
            left = deadline - intake.clock().timestamp()
            if left <= 0:
                break
            await views.hub.moved(min(left, 0.5))
        if found is None and await intake.accepted.accepted_at(touchpoint_id) is None:
            raise not_found("touchpoint")
        return json_response(ACCEPTED)

    return routes


async def _check(
    intake: TouchpointIntake, items: list[Any], caller: Caller, key: str | None
) -> tuple[dict[int, Checked], dict[int, Problem]]:
    checked: dict[int, Checked] = {}
    rejected: dict[int, Problem] = {}
    for index, item in enumerate(items):
        try:
            checked[index] = await intake.check(item, index, caller, key)
        except Problem as problem:
            if problem.problem_type.status >= 500:
                raise
            rejected[index] = problem
    return checked, rejected


def _rejected(rejected: dict[int, Problem]) -> list[dict[str, Any]]:
    return [{"index": index, "problem": problem.document()} for index, problem in sorted(rejected.items())]


def _listed(warnings: Mapping[int, Sequence[Warning]]) -> list[dict[str, Any]]:
    """The first of all warnings, each with the place of its touchpoint in the request."""
    listed = [{"index": index, **one.document()} for index, found in warnings.items() for one in found]
    return listed[:MAX_WARNINGS]


async def _verdicts(
    intake: TouchpointIntake,
    views: Views,
    caller: Caller,
    checked: dict[int, Checked],
    rejected: dict[int, Problem],
    count: int,
) -> dict[str, Any]:
    warnings = await intake.all_warnings(checked, caller, remember=False)
    usable = {index: intake.usable(item) for index, item in checked.items()}
    barred = await views.blocked([one.key for found in usable.values() for one in found])
    results: list[dict[str, Any]] = []
    for index in range(count):
        if index in rejected:
            results.append({"index": index, "valid": False, "problem": rejected[index].document()})
            continue
        met = await intake.would_meet(checked[index])
        found = [*warnings[index], *(blocked(one.position) for one in usable[index] if one.key in barred)]
        results.append(
            {
                "index": index,
                "valid": True,
                "customer_id": str(met) if met else None,
                "would_mint": met is None and intake.would_mint(checked[index], barred),
                "warnings": [one.document() for one in found],
            }
        )
    return {"results": results}
