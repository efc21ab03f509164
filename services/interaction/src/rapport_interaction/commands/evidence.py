"""Evidence: documents and devices tell the profile of touchpoints that name no customer.

Intake uses the evidence that is known at that moment. This module handles late and changed evidence: after every
recording the consumer checks the present state of the touchpoint, so neither order nor repeats matter.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from rapport_interaction import store
from rapport_interaction.commands.mending import Move, RetractionReason, record_anew
from rapport_interaction.domain.documents import Owner, Profile, Statement, by_document, owner, stated
from rapport_interaction.domain.evidence import device_keys, device_signed_in, evident_profile, names_nobody
from rapport_interaction.domain.readings import Reading
from rapport_interaction.store import DeviceTouch, Known, Recording, Use
from rapport_shared.clock import Clock
from rapport_shared.contracts.interaction import Attribution
from rapport_shared.contracts.touchpoints import read_touchpoint
from rapport_shared.database import Connection
from rapport_shared.messaging.outcomes import rejecting


@dataclass(slots=True)
class Evidence:
    """What is known when a batch is attributed; what the batch itself says is added while it is decided."""

    statements: list[Statement]
    uses: list[Use]

    @classmethod
    async def known(cls, connection: Connection, readings: Sequence[Reading]) -> "Evidence":
        """What is known that may be needed: two queries, and none for readings that name somebody themselves."""
        asking = [reading for reading in readings if reading.names_nobody]
        stating = [statement for reading in asking if (statement := reading.statement(None)) is not None]
        documents = {document for one in stating for document in (one.document, *one.names)}
        about = await store.statements_about(connection, documents)
        moments = {(key, reading.arrival.occurred_at) for reading in asking for key in reading.devices}
        uses = await store.users_at(connection, moments)
        return cls([statement for found in about.values() for statement in found], uses)

    def document_owner(self, reading: Reading) -> Owner | None:
        """Whose the document is that a reading states."""
        statement = reading.statement(None) if reading.names_nobody else None
        if statement is None:
            return None
        return owner(statement.document, by_document([*self.statements, statement]))

    def device_user(self, reading: Reading) -> tuple[str, UUID] | None:
        """The first device of a reading that somebody used then, and who."""
        at = reading.arrival.occurred_at
        for key in reading.devices if reading.names_nobody else ():
            used = [use for use in self.uses if use.device_key == key and use.from_at <= at]
            if used:
                return key, max(used, key=lambda use: (use.from_at, use.touchpoint_id)).profile_id
        return None

    def learn(self, reading: Reading, profile_id: Profile, attribution: Attribution) -> None:
        """Takes in what a reading says now that it is attributed."""
        statement = reading.statement(None if attribution.document is not None else profile_id)
        if statement is not None:
            self.statements.append(statement)
        if reading.signed_in_at is not None and profile_id is not None:
            arrival = reading.arrival
            self.uses.append(Use(reading.signed_in_at, arrival.touchpoint.id, arrival.occurred_at, profile_id))

    async def save(self, connection: Connection, readings: Sequence[Reading]) -> None:
        """Keeps what the batch said, so that the next one knows."""
        ids = {reading.arrival.touchpoint.id for reading in readings}
        statements = [one for one in self.statements if one.touchpoint_id in ids]
        if statements:
            await store.save_statements(connection, statements)
        uses = [use for use in self.uses if use.touchpoint_id in ids]
        if uses:
            await store.save_uses(connection, uses)


async def follow_evidence(
    connection: Connection, secret: bytes, touchpoint_ids: Collection[UUID], clock: Clock
) -> None:
    """Looks at what touchpoints say of documents and devices as they are recorded now, and records anew what belongs
    to another profile by it. May be repeated, in any order.
    """
    await store.own_evidence(connection)
    known = await store.known_touchpoints(connection, touchpoint_ids)
    logged = await store.logged_recordings(connection, [one.event_id for one in known.values()])
    looked_at = [(one, logged[one.event_id]) for one in known.values()]
    await _follow_documents(connection, looked_at, clock)
    await _follow_devices(connection, secret, looked_at, clock)


Looked = tuple[Known, Recording]


async def _follow_documents(connection: Connection, looked_at: Sequence[Looked], clock: Clock) -> None:
    counting: list[Statement] = []
    ended: list[Statement] = []
    for known, recording in looked_at:
        touchpoint = rejecting(read_touchpoint, recording.data.touchpoint)
        statement = stated(touchpoint, recording.occurred_at, evident_profile(recording.data))
        if statement is not None:
            (ended if known.retracted else counting).append(statement)
    if not (counting or ended):
        return
    await store.save_statements(connection, counting)
    await store.forget_statements(connection, ended)
    documents = await store.documents_led_to(connection, {one.document for one in (*counting, *ended)})
    statements = await store.statements_about(connection, documents)
    owners = {document: owner(document, statements) for document in documents}
    asking = {
        one.touchpoint_id: owners[document]
        for document in documents
        for one in statements.get(document, ())
        if one.profile_id is None
    }
    at = await store.profiles_of_touchpoints(connection, asking)
    wrong = {one for one, profile_id in at.items() if profile_id != _profile(asking[one])}
    await _record_by(connection, {one: _by_document(asking[one]) for one in wrong}, clock)


async def _follow_devices(connection: Connection, secret: bytes, looked_at: Sequence[Looked], clock: Clock) -> None:
    places: set[tuple[str, datetime]] = set()
    for known, recording in looked_at:
        places |= await _keep_use(connection, secret, known, recording)
        places |= await _keep_touch(connection, known, recording)
    found: dict[UUID, tuple[Profile, Attribution]] = {}
    for key, from_at in sorted(places):
        misplaced = await store.misplaced_device_touches(connection, key, from_at)
        found |= {touchpoint_id: _by_device(key, user) for touchpoint_id, user in misplaced.items()}
    await _record_by(connection, found, clock)


async def _keep_use(
    connection: Connection, secret: bytes, known: Known, recording: Recording
) -> set[tuple[str, datetime]]:
    key = device_signed_in(secret, recording.data.kind, recording.data.touchpoint["data"])
    if key is None:
        return set()
    if known.retracted or known.profile_id is None:
        await store.forget_uses(connection, [(key, known.touchpoint_id)])
    else:
        await store.save_uses(connection, [Use(key, known.touchpoint_id, recording.occurred_at, known.profile_id)])
    return {(key, recording.occurred_at)}


async def _keep_touch(connection: Connection, known: Known, recording: Recording) -> set[tuple[str, datetime]]:
    key = next(iter(device_keys(recording.data.identifiers)), None)
    if key is None:
        return set()
    touch = DeviceTouch(key, recording.occurred_at, known.touchpoint_id)
    if known.retracted or not names_nobody(recording.data):
        await store.forget_device_touches(connection, [touch])
        return set()
    await store.save_device_touches(connection, [touch])
    return {(key, recording.occurred_at)}


async def _record_by(connection: Connection, found: Mapping[UUID, tuple[Profile, Attribution]], clock: Clock) -> None:
    """Records touchpoints anew at the profiles found for them, as far as nothing better says whose they are."""
    if not found:
        return
    touchpoints = await store.lock_touchpoints(connection, found)
    logged = await store.logged_recordings(connection, [known.event_id for known in touchpoints.values()])
    moves = []
    for known in touchpoints.values():
        profile_id, attribution = found[known.touchpoint_id]
        recording = logged[known.event_id]
        placed = known.profile_id != profile_id and not known.retracted and names_nobody(recording.data)
        if placed and not (profile_id is None and recording.data.attribution.by == "asset"):
            reason: RetractionReason = "attributed_anew" if known.profile_id is None else "wrong_attribution"
            moves.append(Move(known, recording, profile_id, attribution, reason))
    await record_anew(connection, moves, clock)


def _profile(found: Owner | None) -> Profile:
    return found.profile_id if found is not None else None


def _by_document(found: Owner | None) -> tuple[Profile, Attribution]:
    if found is None:
        return None, Attribution(by="anonymous")
    return found.profile_id, Attribution(by="source", document=found.document)


def _by_device(key: str, user: Profile) -> tuple[Profile, Attribution]:
    if user is None:
        return None, Attribution(by="anonymous")
    return user, Attribution(by="identifier", identifier_key=key)
