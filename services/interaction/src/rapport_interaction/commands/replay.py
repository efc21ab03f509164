"""Replays the quarantined touchpoints of a rule in batches, each touchpoint in a separate transaction."""

from dataclasses import dataclass
from uuid import UUID

from rapport_interaction import store
from rapport_interaction.commands.resolutions import Mended, Mender, Unmendable
from rapport_interaction.domain.patches import Patch, PatchRefused
from rapport_interaction.store import Position, Selection
from rapport_shared.contracts.interaction import QuarantineReason
from rapport_shared.database import Connection, Database
from rapport_shared.errors import Problem


@dataclass(frozen=True, slots=True)
class Wrong:
    """A touchpoint that could not be recorded, and why."""

    quarantine_id: UUID
    touchpoint_id: UUID | None
    reasons: tuple[QuarantineReason, ...]


@dataclass(frozen=True, slots=True)
class Replayed:
    """The result of a batch. `last` is the place after which the next batch begins; None after the last batch."""

    matching: int
    examined: int
    wrong: tuple[Wrong, ...]
    last: Position | None


async def replay(
    database: Database,
    mender: Mender,
    selection: Selection,
    patch: Patch,
    after: Position | None,
    limit: int,
    *,
    dry_run: bool,
) -> Replayed:
    """Mends the next `limit` touchpoints of `selection`, the first that came first.

    May be repeated: finished touchpoints are committed even if the batch fails, and are not selected again.
    """
    async with database.connection() as connection:
        matching = await store.count_selected(connection, selection, after)
        places = await store.quarantined_in_order(connection, selection, after, limit)
    outcomes = [await _mend(database, mender, quarantine_id, patch, dry_run=dry_run) for _, quarantine_id in places]
    wrong = tuple(outcome for outcome in outcomes if outcome is not None)
    return Replayed(matching, len(places), wrong, places[-1] if len(places) == limit else None)


async def _mend(
    database: Database, mender: Mender, quarantine_id: UUID, patch: Patch, *, dry_run: bool
) -> Wrong | None:
    async def once(connection: Connection) -> Mended | Unmendable:
        return await mender.mend(connection, quarantine_id, patch, dry_run=dry_run)

    try:
        mended = await database.in_transaction(once)
    except PatchRefused as refused:
        return Wrong(quarantine_id, None, (refused.reason,))
    except Problem as problem:
        # somebody else has settled it meanwhile
        reason = QuarantineReason(pointer="", code=problem.problem_type.code, message=problem.detail)
        return Wrong(quarantine_id, None, (reason,))
    if isinstance(mended, Mended):
        return None
    return Wrong(quarantine_id, mended.quarantined.touchpoint_id, tuple(mended.reasons))
