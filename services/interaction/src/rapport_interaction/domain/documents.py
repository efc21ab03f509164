"""The owner of a document: the stated one, else the owner of a document that it names; in any order of arrival."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast
from uuid import UUID

from rapport_shared.contracts.touchpoints import (
    DOCUMENT_KINDS,
    DocumentTouchpoint,
    Touchpoint,
    document_key,
    documents_named,
    revision,
)

Profile = UUID | None
Statements = Mapping[str, Sequence["Statement"]]
"""What is said of each document."""


@dataclass(frozen=True, slots=True)
class Statement:
    """What one touchpoint says of a document. `profile_id` is whose it says that it is; without, `names` are the
    documents that say so, the one that decides first before the others."""

    document: str
    touchpoint_id: UUID
    revision: int
    occurred_at: datetime
    profile_id: UUID | None
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Owner:
    """The profile that a document is of, and the document that says so."""

    profile_id: UUID
    document: str


def stated(touchpoint: Touchpoint, occurred_at: datetime, profile_id: Profile) -> Statement | None:
    """What a touchpoint says of the document that it states; None for one that states none.

    `profile_id` is the profile that its own record, identifiers or conversation lead to.
    """
    if touchpoint.kind not in DOCUMENT_KINDS:
        return None
    document = cast(DocumentTouchpoint, touchpoint)
    names = tuple(key.text for key in documents_named(document)) if profile_id is None else ()
    return Statement(document_key(document).text, touchpoint.id, revision(document), occurred_at, profile_id, names)


def by_document(statements: Iterable[Statement]) -> dict[str, list[Statement]]:
    """Statements by the document that they are about; of one touchpoint the last given counts."""
    latest = {(one.document, one.touchpoint_id): one for one in statements}
    found: dict[str, list[Statement]] = {}
    for statement in latest.values():
        found.setdefault(statement.document, []).append(statement)
    return found


def owner(document: str, statements: Statements) -> Owner | None:
    """Whose a document is: of the highest `(revision, occurred_at, touchpoint)` that says so itself, else of the first
    of the documents named that somebody is known to own. No chain of names leads back, and none is longer than four.
    """
    newest_first = sorted(
        statements.get(document, ()), key=lambda one: (one.revision, one.occurred_at, one.touchpoint_id), reverse=True
    )
    itself = next((one.profile_id for one in newest_first if one.profile_id is not None), None)
    if itself is not None:
        return Owner(itself, document)
    named = dict.fromkeys(name for one in newest_first for name in one.names)
    return next((found for name in named if (found := owner(name, statements)) is not None), None)
