"""The routes of imports.

A file is sent as the body itself, not as a form: it can be kept while it comes, by any client (`curl --data-binary`),
and what belongs to it is few words, which fit the query.
"""

from datetime import datetime
from functools import partial
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import Field

from rapport_gateway.imports import mapping_store, store
from rapport_gateway.imports.commands import Imports, Wanted
from rapport_gateway.imports.headers import template as template_headers
from rapport_gateway.imports.limits import MAX_FILE_BYTES
from rapport_gateway.imports.mapping import SheetMapping
from rapport_gateway.imports.results import CSV, XLSX, csv_pieces, csv_text, workbook_bytes, workbook_pieces
from rapport_gateway.imports.schemas import (
    ChosenMapping,
    ImportAnswer,
    ImportPage,
    RowPage,
    SavedMapping,
    SavedMappings,
    import_answer,
    row_answer,
    saved_mapping,
)
from rapport_gateway.imports.uploads import Uploads
from rapport_shared.callers import Caller
from rapport_shared.contracts.touchpoints.fields import ChannelName, Code, UnitPath
from rapport_shared.web.answers import refusals
from rapport_shared.web.pages import Limit, PageCursor
from rapport_shared.web.routing import scoped

MAX_WAIT_MS = 30_000
Writer = Annotated[Caller, scoped("imports:write")]
Reader = Annotated[Caller, scoped("imports:read")]
Format = Annotated[Literal["csv", "xlsx"], Query()]
Title = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]*$")]
MappingName = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f/]*$")]

_FILE: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": f"The file itself, up to {MAX_FILE_BYTES // 2**20} MiB. What it is is found out from its bytes.",
        "content": {
            kind: {"schema": {"type": "string", "format": "binary"}}
            for kind in ("application/octet-stream", "text/csv", XLSX)
        },
    }
}
_SHEETS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "A sheet.",
        "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in ("text/csv", XLSX)},
    }
}


def router(imports: Imports, uploads: Uploads) -> APIRouter:
    """`/v1/imports` and `/v1/import-mappings`."""
    routes = APIRouter(prefix="/v1", tags=["imports"])
    _add_uploading(routes, imports, uploads)
    _add_reading(routes, imports)
    _add_deciding(routes, imports)
    _add_mappings(routes, imports)
    return routes


def _add_uploading(routes: APIRouter, imports: Imports, uploads: Uploads) -> None:
    @routes.post("/imports", status_code=202, openapi_extra=_FILE, response_model=ImportAnswer)
    async def upload(
        request: Request,
        caller: Writer,
        name: Annotated[Title, Query(description="What people call the file.")],
        system: Annotated[Code, Query(description="The source system whose records the rows are.")],
        mapping: Annotated[MappingName | None, Query(description="A kept mapping; else one is proposed.")] = None,
        unit: Annotated[UnitPath | None, Query(description="The organisation unit of all rows.")] = None,
        channel: Annotated[ChannelName | None, Query(description="By default the key's, else `erp`.")] = None,
        historical: Annotated[bool, Query(description="Rows count as facts and cause nothing.")] = True,
        as_of: Annotated[datetime | None, Query(description="When the sheet was true; by default now.")] = None,
    ) -> Response:
        """Takes a CSV file or a workbook in, to be checked. The same file and terms again are the same import."""
        wanted = Wanted(name, system, channel, unit, historical, as_of, mapping)
        new = await imports.plan(wanted, caller)
        import_id = await uploads.take(new, request.stream())
        row = await imports.known(import_id, caller)
        return _json(import_answer(row), 202, {"Location": f"/v1/imports/{import_id}"})

    @routes.get("/imports/template", responses=_SHEETS | refusals(404), response_class=Response)
    async def template(
        caller: Reader,
        format: Format = "csv",
        language: Annotated[Literal["en", "zh"], Query()] = "en",
        mapping: Annotated[MappingName | None, Query(description="A kept mapping whose columns are wanted.")] = None,
    ) -> Response:
        """A sheet with a column for each attribute, to fill in; its names are understood without a mapping."""
        headers = template_headers(await imports.own(), language)
        if mapping is not None:
            kept = SheetMapping.model_validate_json((await imports.find_mapping(mapping, caller))["mapping"])
            headers = [str(column.column) for column in kept.columns]
        content = csv_text([headers], first=True) if format == "csv" else workbook_bytes([headers])
        return Response(content, 200, _named("template", format), CSV if format == "csv" else XLSX)


def _add_reading(routes: APIRouter, imports: Imports) -> None:
    @routes.get("/imports")
    async def listed(caller: Reader, cursor: PageCursor = None, limit: Limit = 50) -> ImportPage:
        """Imports, the newest first."""
        page = await store.BY_CREATION.page(
            cursor,
            limit,
            partial(store.page, imports.database, caller.unit),
            lambda row: (row["created_at"], row["import_id"]),
        )
        return ImportPage(imports=[import_answer(row) for row in page.items], next_cursor=page.next_cursor)

    @routes.get("/imports/{import_id}")
    async def one(
        import_id: UUID, caller: Reader, wait_ms: Annotated[int, Query(ge=0, le=MAX_WAIT_MS)] = 0
    ) -> ImportAnswer:
        """An import; with `wait_ms` as soon as it waits for a decision, was checked, or has ended."""
        return import_answer(await imports.known(import_id, caller, wait_ms))

    @routes.get("/imports/{import_id}/rows")
    async def rows(
        import_id: UUID,
        caller: Reader,
        verdict: Annotated[
            Literal["new", "matches", "rejected", "sent", "recorded", "anonymous", "quarantined"] | None,
            Query(description="A verdict, or an outcome."),
        ] = None,
        cursor: PageCursor = None,
        limit: Limit = 50,
    ) -> RowPage:
        """Rows with their verdict and what became of them, in their order."""
        page = await imports.rows(import_id, caller, verdict, cursor, limit)
        return RowPage(rows=[row_answer(row) for row in page.items], next_cursor=page.next_cursor)

    @routes.get("/imports/{import_id}/result", responses=_SHEETS, response_class=Response)
    async def result(import_id: UUID, caller: Reader, format: Format = "csv") -> Response:
        """The sheet with what became of each row, why, and whose it is. Formulas in cells are made harmless."""
        row = await imports.known(import_id, caller)
        pieces = csv_pieces if format == "csv" else workbook_pieces
        kind = CSV if format == "csv" else XLSX
        return StreamingResponse(pieces(imports.result(row)), 200, _named(f"import-{import_id}", format), kind)


def _add_deciding(routes: APIRouter, imports: Imports) -> None:
    @routes.put("/imports/{import_id}/mapping", status_code=202, response_model=ImportAnswer)
    async def decide(import_id: UUID, body: ChosenMapping, caller: Writer) -> Response:
        """Says what the columns hold, and how doubtful ones are read; the rows are checked again."""
        return _json(import_answer(await imports.map(import_id, body.name, body.mapping, caller)), 202)

    @routes.post("/imports/{import_id}/run", status_code=202, response_model=ImportAnswer)
    async def run(import_id: UUID, caller: Writer) -> Response:
        """Sends the rows that are not rejected. A repeat doubles nothing."""
        return _json(import_answer(await imports.run(import_id, caller)), 202)

    @routes.post("/imports/{import_id}/cancel", response_model=ImportAnswer)
    async def cancel(import_id: UUID, caller: Writer) -> Response:
        """Ends an import and deletes its file and rows; what was sent already stays."""
        return _json(import_answer(await imports.cancel(import_id, caller)))


def _add_mappings(routes: APIRouter, imports: Imports) -> None:
    @routes.get("/import-mappings")
    async def kept_mappings(caller: Reader) -> SavedMappings:
        """The mappings of the caller's unit and of the whole firm."""
        return SavedMappings(
            mappings=[saved_mapping(row) for row in await mapping_store.mappings(imports.database, caller.unit)]
        )

    @routes.get("/import-mappings/{name}")
    async def kept_mapping(name: MappingName, caller: Reader) -> SavedMapping:
        """A kept mapping."""
        return saved_mapping(await imports.find_mapping(name, caller))

    @routes.put("/import-mappings/{name}")
    async def keep_mapping(name: MappingName, body: SheetMapping, caller: Writer) -> SavedMapping:
        """Keeps a mapping by name. Imports that were made with it stay as they are."""
        return saved_mapping(await imports.keep_mapping(name, body, caller))


def _json(answer: ImportAnswer, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(answer.model_dump_json(), status, headers, "application/json")


def _named(name: str, format: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}.{format}"'}
