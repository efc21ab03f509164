"""Halts: a role halts when its topic or database no longer matches its position. The halt survives restarts."""

import asyncio
import logging

from rapport_shared.database import Connection, Database

_log = logging.getLogger("rapport.halts")

LOOK_SECONDS = 1.0


class Halted(Exception):
    """The role must halt. The message tells an operator the reason."""


async def halt(connection: Connection, role: str, reason: str) -> None:
    """Halts `role`; the first reason stays."""
    await connection.execute(
        "INSERT INTO halt (role, reason) VALUES ($1, $2) ON CONFLICT (role) DO NOTHING", role, reason
    )


async def halt_reason(database: Database, role: str) -> str | None:
    """Why `role` is halted, or None."""
    reason: str | None = await database.fetch_value("SELECT reason FROM halt WHERE role = $1", role)
    return reason


async def until_resumed(database: Database, role: str) -> None:
    """Waits until an operator resumes `role`; returns at once if `role` is not halted. Logs one line while it waits."""
    reason = await halt_reason(database, role)
    if reason is None:
        return
    _log.error("halted", extra={"role": role, "reason": reason})
    while await halt_reason(database, role) is not None:  # noqa: ASYNC110 - the operator's command is another process
        await asyncio.sleep(LOOK_SECONDS)
    _log.info("resumed", extra={"role": role})
