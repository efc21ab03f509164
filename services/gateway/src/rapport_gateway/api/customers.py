"""The routes of the unified view: read, wait, look up, walk the timeline, follow."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StrictInt, StrictStr

from rapport_gateway.access.audience import (
    ENTRY_SCOPES,
    Audience,
    entries_of,
    readable_json,
    require_sections,
    sections_of,
)
from rapport_gateway.intake.touchpoints import OwnRulesFinder
from rapport_gateway.intake.warnings import unusable
from rapport_gateway.live.streams import Subscriber, stream
from rapport_gateway.projection.store.timeline import Wanted
from rapport_gateway.reads import timeline as timelines
from rapport_gateway.reads.customers import Views
from rapport_gateway.reads.value import Values
from rapport_gateway.view import commerce, identity, quality, value
from rapport_gateway.view.sections import SECTIONS
from rapport_shared.callers import Caller
from rapport_shared.contracts.ids import source_profile_id
from rapport_shared.contracts.touchpoints import MODEL_OF
from rapport_shared.contracts.touchpoints.envelope import Identifier
from rapport_shared.contracts.touchpoints.fields import SourceRecord
from rapport_shared.errors import VALIDATION, FieldProblem, Problem
from rapport_shared.normalisation import (
    NormalForm,
    identifier_key,
    normalise_asset_key,
    normalise_identifier,
    phone_region,
    system_and_record,
)
from rapport_shared.own_fields import OwnRules, lookup_key, value_fault
from rapport_shared.web.application import json_response, moved_response
from rapport_shared.web.hot import hot
from rapport_shared.web.nearest import unknown_name
from rapport_shared.web.pages import Limit, PageCursor
from rapport_shared.web.routing import Authenticator, scoped

MAX_WAIT_MS = 30_000
FIGURES = frozenset({commerce.NAME, value.NAME})
"""The sections that scoring states: `after` of a commerce document waits for them, too."""
ANSWERED = frozenset({identity.NAME, quality.NAME})
"""The sections that the customer service states: `after` waits for its answer to a touchpoint, too."""
EXPLAINED_BY_SCORING = ("value.", "segments.")
MAX_HOLDERS = 1_000
"""So many profiles with one value of an own field are looked at."""
Reader = Annotated[Caller, scoped("customers:read")]
WaitMs = Annotated[int, Query(ge=0, le=MAX_WAIT_MS, description="How long to wait for the events of `after`.")]
Settled = Annotated[bool, Query(description="Wait until commerce and value follow from all that the view holds.")]
ExplainedField = Annotated[
    str,
    Query(
        max_length=250, description="`identity.name`, `value.tier`, `value.contemporary.revenue`, `segments.loyal` …"
    ),
]


class AssetLookup(BaseModel):
    """What finds an asset, and by it its holder."""

    model_config = ConfigDict(extra="forbid")

    serial: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    plate: Annotated[str, Field(min_length=1, max_length=100)] | None = None


class AttributeLookup(BaseModel):
    """A value of a field of the deployment's own that is declared for looking up."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=60)]
    value: StrictStr | StrictInt


class Lookup(BaseModel):
    """What to look a customer up by: one of the five."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"example": {"identifiers": [{"type": "phone", "value": "138 0013 8000", "region": "CN"}]}},
    )

    identifiers: Annotated[tuple[Identifier, ...], Field(max_length=50)] = ()
    record: SourceRecord | None = None
    asset: AssetLookup | None = None
    text: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    attribute: AttributeLookup | None = None


def router(
    views: Views,
    audience: Audience,
    values: Values,
    secret: bytes,
    region: str | None,
    heartbeat: float,
    own: OwnRulesFinder,
) -> APIRouter:
    """Reads of customers."""
    routes = APIRouter(prefix="/v1", tags=["customers"])

    @routes.get("/customers/{customer_id}")
    @hot
    async def customer(
        customer_id: UUID,
        request: Request,
        caller: Reader,
        sections: Annotated[str | None, Query(max_length=200, description="Sections, separated by commas.")] = None,
        after: Annotated[
            str | None,
            Query(
                max_length=2000, description="Event ids to wait for, with what they change in the sections asked for."
            ),
        ] = None,
        wait_ms: WaitMs = 0,
        settled: Settled = False,
    ) -> Response:
        """The whole customer in one document; 307 to the customer that a merged one is part of now."""
        shown, began = _sections(sections), views.clock()
        readable = sections_of(caller)
        if sections is not None:
            require_sections(caller, shown)
        pending: list[str] = []
        if after:
            await views.until_seen(_event_ids(after), wait_ms)
            left = wait_ms - int((views.clock() - began).total_seconds() * 1000)
            if not shown.isdisjoint(ANSWERED) and not await views.until_answered(_event_ids(after), left):
                pending = sorted(shown & ANSWERED)
        figures = bool(after) and not shown.isdisjoint(FIGURES) and await views.change_figures(_event_ids(after or ""))
        view = await audience.customer(customer_id, caller)
        if (settled or figures) and view.moved_to is None:
            left = wait_ms - int((views.clock() - began).total_seconds() * 1000)
            await values.until_settled(customer_id, left, caller, decided=settled)
            view = await audience.customer(customer_id, caller)
        if view.moved_to is not None:
            return moved_response(request, f"/v1/customers/{view.moved_to}")
        etag = f'"{views.run}.{view.seq}"'
        if request.headers.get("if-none-match") == etag:
            return Response(status_code=304, headers={"ETag": etag})
        withheld = [name for name in SECTIONS if name in shown - readable]
        body = views.document(view, shown & readable, withheld=withheld, pending=pending)
        return Response(body, headers={"ETag": etag}, media_type="application/json")

    @routes.get("/customers/{customer_id}/timeline")
    async def timeline(
        customer_id: UUID,
        request: Request,
        caller: Reader,
        kind: Annotated[str | None, Query(max_length=100)] = None,
        channel: Annotated[str | None, Query(max_length=40)] = None,
        from_: Annotated[AwareDatetime | None, Query(alias="from")] = None,
        to: AwareDatetime | None = None,
        cursor: PageCursor = None,
        limit: Limit = 50,
    ) -> Response:
        """Every fact of a customer, newest first, one entry per conversation; 307 for a merged one."""
        view = await audience.customer(customer_id, caller)
        if view.moved_to is not None:
            return moved_response(request, f"/v1/customers/{view.moved_to}/timeline")
        since: datetime | None = from_
        _check_kind(kind)
        wanted = Wanted(entries_of(caller), kind, channel, since, to)
        page = await timelines.page(views, customer_id, wanted, cursor, limit)
        return json_response(readable_json(caller, page))

    @routes.get("/customers/{customer_id}/explain")
    async def explain(
        customer_id: UUID,
        request: Request,
        caller: Reader,
        field: ExplainedField,
    ) -> Response:
        """Why a field is what it is: value, source, rule, and what the others state; 307 for a merged customer.

        Of the value and of segments: rule, figures, and the events behind them; that needs `values:read`, too.
        """
        view = await audience.customer(customer_id, caller)
        if view.moved_to is not None:
            return moved_response(request, f"/v1/customers/{view.moved_to}/explain")
        if field.startswith(EXPLAINED_BY_SCORING):
            require_sections(caller, [field.partition(".")[0]])
            return await values.explain(customer_id, field, caller)
        explained = await views.explain(customer_id, field)
        if explained is None:
            place = FieldProblem("/query/field", "not_allowed", "It is not a field that can be explained.")
            raise Problem(VALIDATION, "There is no such field.", errors=[place])
        return json_response(explained)

    @routes.get("/customers/{customer_id}/stream")
    async def follow(customer_id: UUID, request: Request, caller: Reader) -> Response:
        """Server-sent events: a snapshot, then deltas; `Last-Event-ID` resumes. `moved` and `ended` are the last."""
        await audience.customer(customer_id, caller)
        authenticate: Authenticator = request.app.state.authenticate
        last_event_id = request.headers.get("last-event-id")
        subscriber = Subscriber(customer_id, lambda: authenticate(request), last_event_id, heartbeat)
        events = stream(views, audience, subscriber)
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(events, media_type="text/event-stream", headers=headers)

    @routes.post("/customers/lookup", response_model=dict[str, Any])
    @hot
    async def lookup(body: Lookup, caller: Reader, limit: Limit = 20) -> Response:
        """Customers by identifiers, a record, an asset, a name or an own field: the best match first, with reasons.

        `warnings` name identifiers that nobody can be found by, and say why.
        """
        if body.attribute is not None and not (body.identifiers or body.record or body.asset or body.text):
            matches = await views.lookup_attribute(_own_key(await own(), body.attribute), MAX_HOLDERS)
        else:
            matches = await _lookup(views, secret, region, body, caller, limit)
        seen = await audience.seen([UUID(match["customer_id"]) for match in matches], caller)
        shown = [match for match in matches if UUID(match["customer_id"]) in seen][:limit]
        named = enumerate(body.identifiers)
        warnings = [one.document() for place, named_by in named for one in unusable(named_by, place, region)]
        return json_response({"matches": shown, "warnings": warnings})

    return routes


async def _lookup(
    views: Views, secret: bytes, region: str | None, body: Lookup, caller: Caller, limit: int
) -> list[dict[str, Any]]:
    if body.identifiers:
        forms = [(one.type, _form(one, region, position)) for position, one in enumerate(body.identifiers)]
        keys = [identifier_key(secret, type_, form.normal) for type_, form in forms if form.usable]
        records = [_record_profile(form) for type_, form in forms if type_ == "external" and form.usable]
        return await views.lookup_keys(keys, records)
    if body.record is not None:
        form = normalise_identifier("external", body.record.record, system=body.record.system)
        return await views.lookup_keys([], [_record_profile(form)] if form.usable else [])
    if body.asset is not None:
        named = (("serial", body.asset.serial), ("plate", body.asset.plate))
        keys = [
            identifier_key(secret, type_, normalise_asset_key(type_, value).normal) for type_, value in named if value
        ]
        return await views.lookup_assets(keys)
    if body.text is not None:
        return await views.lookup_text(body.text, caller.unit, limit)
    place = FieldProblem(
        "/identifiers", "missing", "Identifiers, a record, an asset, a text or an attribute are required."
    )
    raise Problem(VALIDATION, "There is nothing to look up.", errors=[place])


def _own_key(rules: OwnRules, asked: AttributeLookup) -> str:
    field = rules.looked_up.get(asked.name)
    if field is None:
        place = FieldProblem("/attribute/name", "not_allowed", "It is not declared as a field to look customers up by.")
        raise Problem(VALIDATION, "Nobody is looked up by this field.", errors=[place])
    key = lookup_key(asked.name, asked.value)
    if value_fault(field.type, field.limits, asked.value) is not None or key is None:
        place = FieldProblem("/attribute/value", "wrong_format", "It is no value of this field.")
        raise Problem(VALIDATION, "Nobody can have this value.", errors=[place])
    return key


def _form(identifier: Identifier, region: str | None, position: int) -> NormalForm:
    if identifier.type in ("external", "social") and not identifier.system:
        place = FieldProblem(f"/identifiers/{position}/system", "missing", "It is required of this type.")
        raise Problem(VALIDATION, "An identifier is not valid.", errors=[place])
    reads = phone_region(identifier.region, None, region)
    return normalise_identifier(identifier.type, str(identifier.value), reads, identifier.system)


def _record_profile(form: NormalForm) -> UUID:
    return source_profile_id(*system_and_record(form.normal))


def _event_ids(after: str) -> list[UUID]:
    try:
        return [UUID(part.strip()) for part in after.split(",")]
    except ValueError:
        place = FieldProblem("/query/after", "wrong_format", "It must be event ids, separated by commas.")
        raise Problem(VALIDATION, "The request is not valid.", errors=[place]) from None


def _check_kind(kind: str | None) -> None:
    """Raises a 422 for a kind that no entry of a timeline can have; those of the deployment's own may be any."""
    known = {*MODEL_OF, *ENTRY_SCOPES}
    if kind is not None and kind not in known and not kind.startswith("custom."):
        place = FieldProblem("/query/kind", "not_allowed", unknown_name("kind", kind, known))
        raise Problem(VALIDATION, "There is no such kind of entry.", errors=[place])


def _sections(asked: str | None) -> frozenset[str]:
    if asked is None:
        return frozenset(SECTIONS)
    names = frozenset(part.strip() for part in asked.split(","))
    if names - frozenset(SECTIONS):
        unknown = sorted(names - frozenset(SECTIONS))[0]
        place = FieldProblem("/query/sections", "not_allowed", unknown_name("section", unknown, SECTIONS))
        raise Problem(VALIDATION, "There is no such section.", errors=[place])
    return names
