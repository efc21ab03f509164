"""Recordings that no longer count leave what they were folded into. It costs what they changed, and no history.

An interaction counts by its first entry that counts, so it is counted again when one of its entries ends, and at each
entry that comes after that. A promise ends with the recording that reported it.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from rapport_gateway.projection.batch import Batch
from rapport_gateway.projection.store import facts as store
from rapport_gateway.projection.store.facts import Conversation, NewFacts
from rapport_gateway.view import interactions, promises
from rapport_gateway.view.facts import Fact, State
from rapport_gateway.view.sections import Place
from rapport_shared.contracts.envelope import instant_text
from rapport_shared.database import Connection
from rapport_shared.messaging.outcomes import rejecting

_RETRACTED = "interaction.retracted"

Counts = tuple[Counter[str], Counter[str]]
"""What interactions counted at a profile by channel, before and after."""


@dataclass(frozen=True, slots=True)
class Retractions:
    """What retractions mean for a batch.

    `ended` are its recordings that do not count, `newly` all recordings that counted until now, `mended` interactions
    in which an entry ended, and `new` the facts of the batch.
    """

    ended: frozenset[UUID]
    newly: frozenset[UUID]
    mended: frozenset[str]
    new: frozenset[UUID]


async def note(connection: Connection, facts: Sequence[Fact], new: NewFacts) -> Retractions:
    """Keeps the retractions among facts."""
    ends = {UUID(fact.data["event_id"]) for fact in facts if fact.type == _RETRACTED}
    newly = await store.insert_retractions(connection, ends) if ends else set()
    mended = {fact.data["interaction_id"] for fact in facts if fact.type == _RETRACTED or fact.event_id in new.mended}
    return Retractions(
        ended=new.ended | {fact.event_id for fact in facts if fact.event_id in ends},
        newly=frozenset(newly),
        mended=frozenset(mended),
        new=new.event_ids,
    )


async def mend(batch: Batch, retractions: Retractions) -> None:
    """Counts the interactions again in which an entry ended, and removes the promises of recordings that ended."""
    if retractions.mended:
        await _count_again(batch, retractions)
    if retractions.newly:
        await _end_promises(batch, retractions.newly)


async def _count_again(batch: Batch, retractions: Retractions) -> None:
    found = await store.conversations(batch.connection, {UUID(one) for one in retractions.mended})
    counts: defaultdict[UUID, Counts] = defaultdict(lambda: (Counter(), Counter()))
    for conversation in found.values():
        for profile_id in conversation.entries:
            before, after = _counts(conversation, profile_id, retractions)
            counts[profile_id][0].update(before)
            counts[profile_id][1].update(after)
    await batch.need(counts)
    for profile_id, (before, after) in counts.items():
        first_at = await store.first_contact_at(batch.connection, profile_id)
        latest = await store.latest_contacts(batch.connection, profile_id)
        place = Place(profile_id, interactions.NAME, "")
        lines = [rejecting(interactions.line, fact) for fact in latest]
        since = None if first_at is None else instant_text(first_at)
        batch.set(place, interactions.mended(batch.state(place), before, after, since, lines))


def _counts(conversation: Conversation, profile_id: UUID, retractions: Retractions) -> Counts:
    """What an interaction counts at a profile: before this batch and after it."""
    entries = conversation.entries[profile_id]
    ended_before = conversation.ended - retractions.newly
    known_before = [
        entry for entry in entries if entry.event_id not in retractions.new and entry.event_id not in ended_before
    ]
    counting = [entry for entry in entries if entry.event_id not in conversation.ended]
    mended_before = not conversation.retractions <= retractions.new
    return interactions.opened_by(known_before, mended=mended_before), interactions.opened_by(counting, mended=True)


async def _end_promises(batch: Batch, newly: frozenset[UUID]) -> None:
    ended, counting = await store.standing_recordings(batch.connection, newly)
    standing: dict[Place, State | None] = {}
    for fact in counting:
        for place in _promised([fact]):
            standing[place] = rejecting(promises.fold, None, fact, place.item)
    gone = _promised(ended)
    await batch.need(place.profile_id for place in gone)
    await batch.need_items(gone)
    for place in gone:
        batch.set(place, standing.get(place))


def _promised(facts: Iterable[Fact]) -> list[Place]:
    return [
        Place(profile_id, promises.NAME, item)
        for fact in facts
        for profile_id, item in rejecting(lambda one: list(promises.targets(one)), fact)
    ]
