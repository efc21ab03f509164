"""The route that finds customers."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field, StrictInt, StrictStr

from rapport_gateway.access.audience import (
    Audience,
)
from rapport_gateway.api.schemas import LookupAnswer
from rapport_gateway.intake.touchpoints import OwnRulesFinder
from rapport_gateway.intake.warnings import unusable
from rapport_gateway.reads.customers import Views
from rapport_shared.callers import Caller
from rapport_shared.contracts.ids import source_profile_id
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
from rapport_shared.web.application import json_response
from rapport_shared.web.hot import hot
from rapport_shared.web.pages import Limit
from rapport_shared.web.routing import scoped

MAX_HOLDERS = 1_000
"""So many profiles with one value of an own field are looked at."""
Reader = Annotated[Caller, scoped("customers:read")]


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
    """The keys to look up a customer by; exactly one of the five is given."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"example": {"identifiers": [{"type": "phone", "value": "138 0013 8000", "region": "CN"}]}},
    )

    identifiers: Annotated[tuple[Identifier, ...], Field(max_length=50)] = ()
    record: SourceRecord | None = None
    asset: AssetLookup | None = None
    text: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    attribute: AttributeLookup | None = None


def router(views: Views, audience: Audience, secret: bytes, region: str | None, own: OwnRulesFinder) -> APIRouter:
    """Lookups; `region` reads phone numbers that name no country."""
    routes = APIRouter(prefix="/v1", tags=["customers"])

    @routes.post("/customers/lookup", response_model=LookupAnswer)
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
    raise Problem(VALIDATION, "The request names nothing to look up by.", errors=[place])


def _own_key(rules: OwnRules, asked: AttributeLookup) -> str:
    field = rules.looked_up.get(asked.name)
    if field is None:
        place = FieldProblem("/attribute/name", "not_allowed", "It must be an own field declared with `lookup`.")
        raise Problem(VALIDATION, "Customers cannot be looked up by this field.", errors=[place])
    key = lookup_key(asked.name, asked.value)
    if value_fault(field.type, field.limits, asked.value) is not None or key is None:
        place = FieldProblem("/attribute/value", "wrong_format", "It must fit the type and limits of the field.")
        raise Problem(VALIDATION, "The value is not valid for this field.", errors=[place])
    return key


def _form(identifier: Identifier, region: str | None, position: int) -> NormalForm:
    if identifier.type in ("external", "social") and not identifier.system:
        place = FieldProblem(f"/identifiers/{position}/system", "missing", "Identifiers of this type need a `system`.")
        raise Problem(VALIDATION, "An identifier is not valid.", errors=[place])
    reads = phone_region(identifier.region, None, region)
    return normalise_identifier(identifier.type, str(identifier.value), reads, identifier.system)


def _record_profile(form: NormalForm) -> UUID:
    return source_profile_id(*system_and_record(form.normal))
