"""What the API says of imports."""

from typing import Annotated, Any, Literal
from uuid import UUID

import orjson
from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from rapport_gateway.imports.mapping import SheetMapping
from rapport_shared.contracts.envelope import ShownInstant
from rapport_shared.database import Row

State = Literal["waiting", "undecided", "checked", "running", "done", "failed", "cancelled"]


MappingDocument = Annotated[dict[str, Any], WithJsonSchema({"allOf": [{"$ref": "#/components/schemas/SheetMapping"}]})]
"""A mapping as it is kept: only what somebody said, or what was found out."""
ProblemDocument = Annotated[dict[str, Any], WithJsonSchema({"allOf": [{"$ref": "#/components/schemas/Problem"}]})]


class ImportProgress(BaseModel):
    """How far it is, in rows. `rows` are those judged; `recorded` and `quarantined` those seen in the view."""

    rows: int
    new: int
    matches: int
    rejected: int
    sent: int
    recorded: int
    quarantined: int


class ImportAnswer(BaseModel):
    """An import. `sheet` says what was found out of the file; where a finding `stops`, the mapping has to decide."""

    import_id: UUID
    state: State
    name: str
    system: str
    channel: str
    unit: str | None
    historical: bool
    as_of: ShownInstant | None = Field(description="When what the sheet says was true.")
    file_bytes: int
    sha256: str
    sheet: dict[str, Any] | None
    mapping: MappingDocument | None = Field(description="As given, else as proposed from the header.")
    progress: ImportProgress
    problem: ProblemDocument | None
    created_at: ShownInstant
    changed_at: ShownInstant
    started_at: ShownInstant | None
    ended_at: ShownInstant | None
    forgotten_at: ShownInstant | None = Field(description="When file and rows were deleted.")


class ImportPage(BaseModel):
    """Imports, the newest first."""

    imports: list[ImportAnswer]
    next_cursor: str | None


class RowReason(BaseModel):
    """Why a row has its verdict, or what else to know of it. Never what a cell holds."""

    model_config = ConfigDict(extra="allow")

    code: str
    column: str | None
    message: str


class RowAnswer(BaseModel):
    """A row by the number that a spreadsheet shows."""

    row: int
    verdict: Literal["new", "matches", "rejected"]
    outcome: Literal["sent", "recorded", "anonymous", "retracted", "quarantined"] | None
    customer_id: UUID | None
    reasons: list[RowReason]


class RowPage(BaseModel):
    """Rows in their order."""

    rows: list[RowAnswer]
    next_cursor: str | None


class ChosenMapping(BaseModel):
    """A mapping by the name under which it is kept, or itself."""

    model_config = ConfigDict(extra="forbid")

    name: str | None = Field(default=None, min_length=1, max_length=100)
    mapping: SheetMapping | None = None


class SavedMapping(BaseModel):
    """A mapping that is kept by name."""

    name: str
    unit: str | None
    revision: int
    changed_at: ShownInstant
    mapping: MappingDocument


class SavedMappings(BaseModel):
    """The mappings that a caller may use."""

    mappings: list[SavedMapping]


def import_answer(row: Row) -> ImportAnswer:
    """An import as the API shows it."""
    counts = {name: row[name] for name in ("rows", "new", "rejected", "sent", "recorded", "quarantined")}
    plain = ("import_id", "state", "name", "system", "channel", "historical", "file_bytes")
    times = ("created_at", "changed_at", "started_at", "ended_at", "forgotten_at")
    return ImportAnswer(
        **{name: row[name] for name in (*plain, *times)},
        unit=row["unit"] or None,
        as_of=row["dated_at"] or row["as_of"],
        sha256=row["file_hash"].hex(),
        sheet=_loaded(row["report"]),
        mapping=_loaded(row["resolved"] or row["mapping"]),
        progress=ImportProgress(matches=row["matching"], **counts),
        problem=_loaded(row["problem"]),
    )


def row_answer(row: Row) -> RowAnswer:
    """A row as the API shows it."""
    return RowAnswer(
        row=row["number"],
        verdict=row["verdict"],
        outcome=row["outcome"],
        customer_id=row["customer_id"],
        reasons=orjson.loads(row["reasons"]),
    )


def saved_mapping(row: Row) -> SavedMapping:
    """A kept mapping as the API shows it."""
    return SavedMapping(
        name=row["name"],
        unit=row["unit"] or None,
        revision=row["revision"],
        changed_at=row["changed_at"],
        mapping=orjson.loads(row["mapping"]),
    )


def _loaded(text: str | None) -> Any:
    return None if text is None else orjson.loads(text)
