"""The policies in force, of every kind and name at once."""

from typing import Final

from rapport_shared.database import Reading, Row

_GENERATION: Final = """
SELECT (SELECT count(*) FROM policy_activation) + (SELECT max(version) FROM value_parameters) AS generation
"""
_ACTIVE: Final = """
SELECT DISTINCT ON (a.kind, a.name) a.kind, a.name, a.version, a.activated_at, v.document
FROM policy_activation a LEFT JOIN policy_version v USING (kind, name, unit, version)
WHERE a.unit = '' ORDER BY a.kind, a.name, a.sequence DESC
"""


async def read_generation(connection: Reading) -> int:
    """A number that grows with each policy that is activated and each fit of the parameters."""
    rows = await connection.fetch(_GENERATION)
    generation: int = rows[0]["generation"]
    return generation


async def active_policies(connection: Reading) -> list[Row]:
    """The policies in force, without those that never were activated."""
    return await connection.fetch(_ACTIVE)
