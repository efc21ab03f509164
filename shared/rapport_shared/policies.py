"""Policies: versioned configuration of behaviour. A version is simulated, activated and, if needed, rolled back.

A service owns some kinds. Version 0 of every policy is what is shipped: it is in force until another is activated.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, Generic, TypeVar

import orjson
import yaml
from pydantic import BaseModel, ValidationError

from rapport_shared.clock import Clock, next_recorded
from rapport_shared.contracts.catalogue import EventType
from rapport_shared.contracts.codec import Event, new_event
from rapport_shared.contracts.model import Contract
from rapport_shared.contracts.policies import PolicyActivated
from rapport_shared.database import Connection, Database, Reading
from rapport_shared.errors import MALFORMED, VALIDATION, FieldProblem, Problem, not_found
from rapport_shared.pages import Keyset

Document = TypeVar("Document", bound=BaseModel)

DEFAULT = "default"
"""The name of a policy of which there is one."""

POLICY_TABLES = """
CREATE TABLE policy_version (
    kind     text NOT NULL,
    name     text NOT NULL,
    unit     text NOT NULL DEFAULT '',
    version  integer NOT NULL CHECK (version >= 1),
    document text NOT NULL,
    note     text,
    made_by  text NOT NULL,
    made_at  timestamptz NOT NULL,
    PRIMARY KEY (kind, name, unit, version)
);

CREATE TABLE policy_activation (
    kind         text NOT NULL,
    name         text NOT NULL,
    unit         text NOT NULL DEFAULT '',
    sequence     bigint NOT NULL CHECK (sequence >= 1),
    version      integer NOT NULL,
    activated_by text NOT NULL,
    activated_at timestamptz NOT NULL,
    PRIMARY KEY (kind, name, unit, sequence)
);
"""

Hook = Callable[[Connection, Any, Any, Clock], Awaitable[Sequence[Event[Contract]]]]
"""What an activation brings about, given the documents before and after; answers the events of it."""


@dataclass(frozen=True, slots=True)
class PolicyKind(Generic[Document]):
    """A kind of policy: the model of its documents, and the event that tells of an activation.

    `named`: there are several, each by its name; else there is one, whose name is `default`. `per_unit`: a unit may
    have its own. What nobody would act on is refused.
    """

    kind: str
    model: type[Document]
    event_type: EventType
    activated: Hook | None = None
    named: bool = False
    per_unit: bool = False


@dataclass(frozen=True, slots=True)
class PolicyPlace:
    """The place of a policy. `unit` is empty for the whole firm."""

    kind: str
    name: str
    unit: str = ""

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}/{self.unit}"


@dataclass(frozen=True, slots=True)
class PolicyVersion:
    """One version of a policy; version 0 is what is shipped."""

    version: int
    document: dict[str, Any]
    note: str | None = None
    made_by: str | None = None
    made_at: datetime | None = None


def place_of(kind: PolicyKind[Any], name: str, unit: str | None) -> PolicyPlace:
    """The place of a policy. Raises a 422 for a name or a unit that this kind has no policy of."""
    if unit is not None and not kind.per_unit:
        wrong = FieldProblem("/query/unit", "not_allowed", "Policies of this kind are the same in the whole firm.")
        raise Problem(VALIDATION, f"No unit has a {kind.kind} policy of its own.", errors=[wrong])
    if name != DEFAULT and not kind.named:
        wrong = FieldProblem("/path/name", "not_allowed", f"The one policy of this kind is named {DEFAULT}.")
        raise Problem(VALIDATION, f"There is no {kind.kind} policy of this name.", errors=[wrong])
    return PolicyPlace(kind.kind, name, unit or "")


def parse_document(kind: PolicyKind[Document], document: Any) -> Document:
    """A policy's document as its model. Raises a 422 that names each wrong place."""
    try:
        return kind.model.model_validate(document)
    except ValidationError as error:
        errors = [
            FieldProblem("/" + "/".join(str(step) for step in item["loc"]), item["type"], item["msg"])
            for item in error.errors(include_input=False, include_url=False)[:50]
        ]
        raise Problem(VALIDATION, f"It is not a {kind.kind} policy.", errors=errors) from None


def read_document(body: bytes, content_type: str) -> Any:
    """A document in JSON, or in YAML where the content type says so. Raises a 400; YAML aliases are refused."""
    try:
        if "yaml" in content_type:
            return yaml.load(body.decode(), Loader=_Loader)
        return orjson.loads(body)
    except (yaml.YAMLError, orjson.JSONDecodeError, UnicodeDecodeError, RecursionError):
        raise Problem(MALFORMED, "The policy is neither JSON nor YAML that can be read.") from None


class _Loader(yaml.SafeLoader):
    """YAML without aliases, by which a short text becomes an endless one."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """The next node. Raises `yaml.YAMLError` for an alias."""
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases are refused")
        return super().compose_node(parent, index)


async def active_document(connection: Reading, kind: PolicyKind[Document], place: PolicyPlace) -> Document:
    """The document that is in force. Cheap: a document is parsed once."""
    return parsed(kind, await active_version(connection, place))


def parsed(kind: PolicyKind[Document], version: PolicyVersion) -> Document:
    """The document of a version as its model. Cheap: a document is parsed once."""
    document: Document = _parsed(kind.model, orjson.dumps(version.document))
    return document


@lru_cache(maxsize=64)
def _parsed(model: type[BaseModel], document: bytes) -> Any:
    return model.model_validate_json(document)


async def active_version(connection: Reading, place: PolicyPlace) -> PolicyVersion:
    """The version that is in force; version 0, an empty document, where none was activated."""
    query = (
        "SELECT v.version, v.document, v.note, v.made_by, v.made_at FROM policy_activation a "
        "LEFT JOIN policy_version v USING (kind, name, unit, version) "
        "WHERE a.kind = $1 AND a.name = $2 AND a.unit = $3 ORDER BY a.sequence DESC LIMIT 1"
    )
    rows = await connection.fetch(query, place.kind, place.name, place.unit)
    if not rows or rows[0]["version"] is None:
        return PolicyVersion(0, {})
    return _version(rows[0])


BY_VERSION: Final[Keyset[tuple[int]]] = Keyset(int)
"""The order of the versions of a policy: the newest first."""


async def versions(database: Database, place: PolicyPlace, after: tuple[int] | None, limit: int) -> list[PolicyVersion]:
    """Versions of a policy, the newest first, behind one."""
    rows = await database.fetch(
        "SELECT version, document, note, made_by, made_at FROM policy_version WHERE kind = $1 AND name = $2 "
        f"AND unit = $3 AND {BY_VERSION.behind('version', 4)} ORDER BY version DESC LIMIT $5",
        place.kind,
        place.name,
        place.unit,
        *BY_VERSION.parameters(after),
        limit,
    )
    return [_version(row) for row in rows]


async def read_version(connection: Reading, place: PolicyPlace, version: int) -> PolicyVersion:
    """A version. Raises a 404."""
    if version == 0:
        return PolicyVersion(0, {})
    rows = await connection.fetch(
        "SELECT version, document, note, made_by, made_at FROM policy_version "
        "WHERE kind = $1 AND name = $2 AND unit = $3 AND version = $4",
        place.kind,
        place.name,
        place.unit,
        version,
    )
    if not rows:
        raise not_found("version of this policy")
    return _version(rows[0])


async def add_version(
    connection: Connection, place: PolicyPlace, document: BaseModel, note: str | None, by: str, at: datetime
) -> int:
    """Keeps a document as the next version, which is not in force yet; answers its number."""
    await _lock(connection, place)
    version: int = await connection.fetchval(
        "INSERT INTO policy_version (kind, name, unit, version, document, note, made_by, made_at) "
        "SELECT $1, $2, $3, coalesce(max(version), 0) + 1, $4, $5, $6, $7 FROM policy_version "
        "WHERE kind = $1 AND name = $2 AND unit = $3 RETURNING version",
        place.kind,
        place.name,
        place.unit,
        document.model_dump_json(exclude_unset=True),
        note,
        by,
        at,
    )
    return version


async def activate(
    connection: Connection, kind: PolicyKind[Any], place: PolicyPlace, version: int, by: str, clock: Clock
) -> list[Event[Contract]]:
    """Puts a version in force and answers the events of it, which the caller appends; none where it is so already.

    Raises a 404 for a version that is not known.
    """
    await _lock(connection, place)
    before, after = await active_version(connection, place), await read_version(connection, place, version)
    row = await connection.fetchrow(
        "SELECT sequence, activated_at FROM policy_activation WHERE kind = $1 AND name = $2 AND unit = $3 "
        "ORDER BY sequence DESC LIMIT 1",
        place.kind,
        place.name,
        place.unit,
    )
    if before.version == after.version:
        return []
    sequence = row["sequence"] + 1 if row else 1
    recorded_at = next_recorded(clock(), row["activated_at"] if row else None)
    await connection.execute(
        "INSERT INTO policy_activation (kind, name, unit, sequence, version, activated_by, activated_at) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7)",
        place.kind,
        place.name,
        place.unit,
        sequence,
        version,
        by,
        recorded_at,
    )
    further: Sequence[Event[Contract]] = ()
    if kind.activated is not None:
        former, present = (kind.model.model_validate(one.document) for one in (before, after))
        further = await kind.activated(connection, former, present, clock)
    return [_activated(kind, place, after, sequence, recorded_at), *further]


async def version_before(connection: Connection, place: PolicyPlace) -> int:
    """The version that was in force before the present one. Raises a 404 where none was ever activated."""
    rows = await connection.fetch(
        "SELECT version FROM policy_activation WHERE kind = $1 AND name = $2 AND unit = $3 "
        "ORDER BY sequence DESC LIMIT 2",
        place.kind,
        place.name,
        place.unit,
    )
    if not rows:
        raise not_found("earlier version of this policy")
    return int(rows[1]["version"]) if len(rows) > 1 else 0


async def _lock(connection: Connection, place: PolicyPlace) -> None:
    await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 2))", str(place))


def _version(row: Any) -> PolicyVersion:
    return PolicyVersion(row["version"], orjson.loads(row["document"]), row["note"], row["made_by"], row["made_at"])


def _activated(
    kind: PolicyKind[Any], place: PolicyPlace, version: PolicyVersion, sequence: int, recorded_at: datetime
) -> Event[Contract]:
    data = PolicyActivated(
        kind=place.kind, name=place.name, unit=place.unit, version=version.version, document=version.document
    )
    return new_event(kind.event_type, place, data, sequence=sequence, recorded_at=recorded_at)
