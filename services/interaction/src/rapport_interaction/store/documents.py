"""Statements of touchpoints about documents, and the documents that these name."""

from collections.abc import Collection, Sequence
from uuid import UUID

from rapport_interaction.domain.documents import Statement, by_document
from rapport_shared.database import Connection

_ABOUT = """
WITH RECURSIVE about AS (
    SELECT unnest($1::text[]) AS document
    UNION SELECT name FROM about JOIN document_statement s USING (document) CROSS JOIN unnest(s.names) AS name
)
SELECT s.* FROM about JOIN document_statement s USING (document)
"""
_LED_TO = """
WITH RECURSIVE led AS (
    SELECT unnest($1::text[]) AS document
    UNION SELECT s.document FROM led JOIN document_statement s
        ON s.profile_id IS NULL AND s.names @> ARRAY[led.document]
)
SELECT document FROM led
"""


async def statements_about(connection: Connection, documents: Collection[str]) -> dict[str, list[Statement]]:
    """What is said of documents and of those that they name, directly or by others."""
    if not documents:
        return {}
    rows = await connection.fetch(_ABOUT, sorted(documents))
    return by_document(
        Statement(
            row["document"],
            row["touchpoint_id"],
            row["revision"],
            row["occurred_at"],
            row["profile_id"],
            tuple(row["names"]),
        )
        for row in rows
    )


async def documents_led_to(connection: Connection, documents: Collection[str]) -> list[str]:
    """`documents`, and those whose profile one of them may say, directly or by others."""
    rows = await connection.fetch(_LED_TO, sorted(documents))
    return [row["document"] for row in rows]


async def save_statements(connection: Connection, statements: Sequence[Statement]) -> None:
    """Keeps statements; of one touchpoint the present one replaces the former."""
    await connection.executemany(
        "INSERT INTO document_statement (document, touchpoint_id, revision, occurred_at, profile_id, names) "
        "VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (document, touchpoint_id) DO UPDATE SET "
        "profile_id = excluded.profile_id, names = excluded.names "
        "WHERE (document_statement.profile_id, document_statement.names) "
        "IS DISTINCT FROM (excluded.profile_id, excluded.names)",
        [
            (one.document, one.touchpoint_id, one.revision, one.occurred_at, one.profile_id, list(one.names))
            for one in sorted(statements, key=lambda one: (one.document, one.touchpoint_id))
        ],
    )


async def forget_statements(connection: Connection, statements: Sequence[Statement]) -> None:
    """Forgets what touchpoints said that no longer count."""
    await connection.executemany(
        "DELETE FROM document_statement WHERE document = $1 AND touchpoint_id = $2",
        [(one.document, one.touchpoint_id) for one in statements],
    )


async def profiles_of_touchpoints(connection: Connection, ids: Collection[UUID]) -> dict[UUID, UUID | None]:
    """The profile that each touchpoint that counts is recorded at."""
    rows = await connection.fetch(
        "SELECT touchpoint_id, profile_id FROM touchpoint WHERE touchpoint_id = ANY($1) AND NOT retracted", list(ids)
    )
    return {row["touchpoint_id"]: row["profile_id"] for row in rows}
