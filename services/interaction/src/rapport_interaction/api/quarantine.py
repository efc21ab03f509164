"""The routes of the quarantine: look, mend, replay, dismiss."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import AwareDatetime

from rapport_interaction import queries
from rapport_interaction.commands.replay import replay
from rapport_interaction.commands.resolutions import Mended, Mender, Unmendable
from rapport_interaction.domain.patches import Patch, PatchRefused, check_patch
from rapport_interaction.domain.readings import Normaliser
from rapport_interaction.schemas import (
    DismissalRequest,
    Dismissed,
    FixRequest,
    Mending,
    QuarantineEntry,
    QuarantinePage,
    QuarantineState,
    Replayed,
    ReplayManyRequest,
    ReplayRequest,
    StillWrong,
)
from rapport_interaction.store import BY_INSTANT, Selection
from rapport_shared.callers import Caller
from rapport_shared.contracts.interaction import QuarantineReason
from rapport_shared.database import Connection, Database
from rapport_shared.errors import VALIDATION, FieldProblem, Problem
from rapport_shared.web.commands import Answer, CommandRunner
from rapport_shared.web.pages import Limit, PageCursor
from rapport_shared.web.routing import scoped

Name = Annotated[str | None, Query(max_length=100)]
Writer = Annotated[Caller, scoped("quarantine:write")]


def router(database: Database, runner: CommandRunner, normaliser: Normaliser) -> APIRouter:
    """The quarantine."""
    routes = APIRouter(prefix="/v1/quarantine", tags=["quarantine"])
    _add_reads(routes, database)
    _add_replay_of_many(routes, database, runner, normaliser)

    @routes.post("/{quarantine_id}/fix", response_model=Mending)
    async def fix(quarantine_id: UUID, body: FixRequest, request: Request, caller: Writer) -> Response:
        """Records a touchpoint after a JSON Patch; with `dry_run` it says what is still wrong."""
        _check(body.patch)
        return await mend(quarantine_id, body.patch, body.dry_run, request, caller)

    @routes.post("/{quarantine_id}/replay", response_model=Mending)
    async def replay_one(
        quarantine_id: UUID, request: Request, caller: Writer, body: ReplayRequest | None = None
    ) -> Response:
        """Records a touchpoint as it is, for what stood against it may be gone: a unit has been created since."""
        return await mend(quarantine_id, (), body is not None and body.dry_run, request, caller)

    async def mend(quarantine_id: UUID, patch: Patch, dry_run: bool, request: Request, caller: Caller) -> Response:
        async def work(connection: Connection) -> Answer:
            mender = Mender(normaliser, runner.clock, caller.principal)
            try:
                return _answer(await mender.mend(connection, quarantine_id, patch, dry_run=dry_run), dry_run=dry_run)
            except PatchRefused as refused:
                raise _refused([refused.reason], "The patch cannot be applied.") from None

        return await runner.run(request, caller, work)

    @routes.post("/{quarantine_id}/dismiss", response_model=Dismissed)
    async def dismiss(quarantine_id: UUID, body: DismissalRequest, request: Request, caller: Writer) -> Response:
        """Says that a touchpoint will not be recorded. It is final."""

        async def work(connection: Connection) -> Answer:
            mender = Mender(normaliser, runner.clock, caller.principal)
            events = await mender.dismiss(connection, quarantine_id, body.reason)
            return Answer(200, {"quarantine_id": str(quarantine_id), "state": "dismissed"}, events)

        return await runner.run(request, caller, work)

    return routes


def _add_reads(routes: APIRouter, database: Database) -> None:
    @routes.get("")
    async def quarantine(
        caller: Annotated[Caller, scoped("quarantine:read")],
        state: QuarantineState = "open",
        reason: Name = None,
        kind: Name = None,
        channel: Name = None,
        source: Name = None,
        from_: Annotated[AwareDatetime | None, Query(alias="from")] = None,
        to: AwareDatetime | None = None,
        cursor: PageCursor = None,
        limit: Limit = 50,
    ) -> QuarantinePage:
        """Touchpoints that could not be recorded, and why, the latest first."""
        selection = Selection(state, reason, kind, channel, source, from_, to)
        return await queries.quarantine_page(database, selection, cursor, limit)

    @routes.get("/{quarantine_id}")
    async def entry(
        quarantine_id: UUID, response: Response, caller: Annotated[Caller, scoped("quarantine:read")]
    ) -> QuarantineEntry:
        """One of them; its body for callers with `quarantine:bodies`, for it may be personal."""
        response.headers["Cache-Control"] = "no-store"
        return await queries.quarantine_entry(database, quarantine_id, with_body=caller.may("quarantine:bodies"))


def _add_replay_of_many(routes: APIRouter, database: Database, runner: CommandRunner, normaliser: Normaliser) -> None:
    @routes.post("/replay", response_model=Replayed)
    async def replay_many(body: ReplayManyRequest, caller: Writer) -> Replayed:
        """Records those of a rule, a batch at a time; with `dry_run` it only counts. May be repeated."""
        _check(body.patch)
        selection = Selection("open", body.reason, body.kind, body.channel, body.source, body.from_, body.to)
        after = BY_INSTANT.position(body.cursor)
        mender = Mender(normaliser, runner.clock, caller.principal)
        done = await replay(database, mender, selection, body.patch, after, body.limit, dry_run=body.dry_run)
        runner.signal.notify()
        return Replayed(
            matching=done.matching,
            examined=done.examined,
            recorded=done.examined - len(done.wrong),
            wrong=[
                StillWrong(quarantine_id=w.quarantine_id, touchpoint_id=w.touchpoint_id, errors=list(w.reasons))
                for w in done.wrong
            ],
            next_cursor=BY_INSTANT.cursor(done.last) if done.last else None,
        )


def _check(patch: Patch) -> None:
    try:
        check_patch(patch)
    except PatchRefused as refused:
        raise _refused([refused.reason], "The patch is not a JSON Patch that may be applied.") from None


def _answer(outcome: Mended | Unmendable, *, dry_run: bool) -> Answer:
    quarantined = outcome.quarantined
    found: dict[str, Any] = {
        "quarantine_id": str(quarantined.quarantine_id),
        "touchpoint_id": str(quarantined.mended_id),
    }
    if isinstance(outcome, Unmendable):
        if not dry_run:
            raise _refused(outcome.reasons, "The touchpoint cannot be recorded.")
        errors = [reason.model_dump() for reason in outcome.reasons]
        return Answer(200, {**found, "state": quarantined.state, "would_record": False, "errors": errors})
    if outcome.known is None:
        return Answer(200, {**found, "state": quarantined.state, "would_record": True, "errors": []})
    profile_id = outcome.known.profile_id
    found |= {"state": "mended", "interaction_id": str(outcome.known.interaction_id)}
    return Answer(200, {**found, "profile_id": str(profile_id) if profile_id else None}, outcome.events)


def _refused(reasons: Any, detail: str) -> Problem:
    found: list[QuarantineReason] = list(reasons)
    return Problem(
        VALIDATION, detail, errors=[FieldProblem(reason.pointer, reason.code, reason.message) for reason in found]
    )
