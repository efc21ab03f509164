"""A halt is durable: a role that found its ground broken stands still, over restarts, until an operator resumes it."""

from rapport_shared.database import Connection, Database


class Halted(Exception):
    """A role must stand still. The message is the reason, in words for an operator."""


async def halt(connection: Connection, role: str, reason: str) -> None:
    """Halts `role`; the first reason stays."""
    await connection.execute(
        "INSERT INTO halt (role, reason) VALUES ($1, $2) ON CONFLICT (role) DO NOTHING", role, reason
    )


async def halt_reason(database: Database, role: str) -> str | None:
    """Why `role` is halted, or None."""
    reason: str | None = await database.fetch_value("SELECT reason FROM halt WHERE role = $1", role)
    return reason
