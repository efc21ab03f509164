"""The answers of commands, as the routes send them."""

from collections.abc import Awaitable, Callable
from uuid import UUID

from rapport_customer.commands.candidates import CandidateDecided
from rapport_customer.commands.merges import MergeMade, MergeResult, MergeUndone
from rapport_customer.commands.results import ProfileWritten
from rapport_customer.commands.units import UnitWritten
from rapport_customer.domain.joins import Membership
from rapport_shared.database import Connection
from rapport_shared.web.commands import Answer, Work, revision_etag


def profile_answer(
    command: Callable[[Connection], Awaitable[ProfileWritten]], status: int = 200, *, location: bool = False
) -> Work:
    """Runs a command that writes to a profile. With `location`, the answer has the URL of the customer."""

    async def work(connection: Connection) -> Answer:
        written = await command(connection)
        body = {"profile_id": str(written.profile_id), "customer_id": str(written.customer_id)}
        headers = {"Location": f"/v1/customers/{written.profile_id}"} if location else {}
        return Answer(status, body, written.events, revision_etag(written.revision), headers)

    return work


def unit_answer(written: UnitWritten) -> Answer:
    """The answer to the creation or replacement of a unit."""
    events = (written.event_id,) if written.event_id else ()
    body = written.unit.model_dump(mode="json")
    return Answer(201 if written.created else 200, body, events, revision_etag(written.revision))


def merge_answer(result: MergeResult, *, dry_run: bool) -> Answer:
    """The answer to a merge, or to its dry run."""
    body = {"into": _party(result.into), "dry_run": dry_run, **result.preview}
    if dry_run:
        return Answer(200, body)
    body["merges"] = [_made(made) for made in result.made]
    return Answer(201, body, tuple(made.event_id for made in result.made))


def undo_answer(undone: MergeUndone) -> Answer:
    """The answer to a merge that was undone."""
    body = {
        "merge_id": str(undone.merge_id),
        "event_id": str(undone.event_id),
        "from": str(undone.from_customer),
        "into": _party(undone.into),
        "undone": True,
    }
    return Answer(200, body, (undone.event_id,))


def decision_answer(candidate_id: UUID, decision: str, decided: CandidateDecided) -> Answer:
    """The answer to a decision on a candidate."""
    body = {"candidate_id": str(candidate_id), "decision": decision}
    if decided.merge_id is not None:
        body |= {"customer_id": str(decided.customer_id), "merge_id": str(decided.merge_id)}
    return Answer(200, body, decided.events)


def _party(member: Membership) -> dict[str, str]:
    return {"customer_id": str(member.customer_id), "profile_id": str(member.profile_id)}


def _made(made: MergeMade) -> dict[str, object]:
    return {
        "merge_id": str(made.merge.merge_id),
        "event_id": str(made.event_id),
        "from": str(made.merge.from_customer),
        "profiles": [str(move.profile_id) for move in made.merge.moves],
    }
