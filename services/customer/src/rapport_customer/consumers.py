"""What the customer service reads: every recorded touch may make a profile, report one, or tell of an asset."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

import orjson

from rapport_customer import store
from rapport_customer.commands.assets import change_asset, holding, service
from rapport_customer.commands.profiles import Change, register
from rapport_customer.domain.profiles import FIELDS, Statement, with_consent, with_report
from rapport_shared.clock import Clock
from rapport_shared.contracts.catalogue import INTERACTION_EVENTS, INTERACTION_RECORDED
from rapport_shared.contracts.customer import AssetService, ConsentState, ProfileState, RelationState
from rapport_shared.contracts.envelope import decode_envelope
from rapport_shared.contracts.interaction import RecordedAssetKey, RecordedIdentifier
from rapport_shared.database import Connection
from rapport_shared.messaging.consumer import Subscription
from rapport_shared.messaging.outbox import OutboxSignal
from rapport_shared.messaging.outcomes import decide
from rapport_shared.messaging.records import Record


@dataclass(frozen=True, slots=True)
class RecordedTouch:
    """A recorded touchpoint, as far as profiles and assets care. `body` is the touchpoint as it was sent."""

    event_id: UUID
    profile_id: UUID
    occurred_at: datetime
    kind: str
    identifiers: tuple[dict[str, Any], ...]
    assets: tuple[dict[str, Any], ...]
    body: dict[str, Any]

    @property
    def keys(self) -> set[str]:
        """The identifiers that a touch may bring to its profile."""
        return {identifier["key"] for identifier in self.identifiers if identifier.get("routable", True)}


def touches(clock: Clock, signal: OutboxSignal) -> Subscription[RecordedTouch]:
    """The reaction that keeps profiles, routes and assets up with the recorded touches."""
    return Subscription(
        consumer="touches",
        topics=(INTERACTION_EVENTS,),
        decode=read_touch,
        apply=partial(_apply, clock),
        committed=partial(_notify, signal),
    )


def read_touch(record: Record) -> RecordedTouch | None:
    """The touch in a record; None for other events and for anonymous touches."""
    if record.headers.get("ce_type") != INTERACTION_RECORDED.wire or record.value is None:
        return None
    if "ce_profileid" not in record.headers:
        return None
    envelope = decode_envelope(record.headers)
    assert envelope.profile_id is not None
    return decide(_touch, envelope.id, envelope.profile_id, envelope.occurred_at, orjson.loads(record.value))


def _touch(event_id: UUID, profile_id: UUID, occurred_at: datetime, data: dict[str, Any]) -> RecordedTouch:
    return RecordedTouch(
        event_id=event_id,
        profile_id=profile_id,
        occurred_at=occurred_at,
        kind=data["kind"],
        identifiers=tuple(data.get("identifiers", ())),
        assets=tuple(data.get("assets", ())),
        body=data["touchpoint"],
    )


async def _notify(signal: OutboxSignal) -> None:
    signal.notify()


async def _apply(clock: Clock, connection: Connection, batch: Sequence[RecordedTouch]) -> None:
    profile_ids = {touch.profile_id for touch in batch}
    known = await store.known_profiles(connection, profile_ids)
    claimed = await store.claimed_identifiers(connection, profile_ids)
    for touch in batch:
        claims = {(touch.profile_id, key) for key in touch.keys}
        if touch.kind in _CHANGES or touch.profile_id not in known or claims - claimed:
            await _take(connection, touch, clock)
            known.add(touch.profile_id)
            claimed |= claims
        if touch.kind in _ASSET_CHANGES:
            await _take_asset(connection, touch, clock)


async def _take(connection: Connection, touch: RecordedTouch, clock: Clock) -> None:
    change = decide(_CHANGES.get(touch.kind, _unchanged), touch, clock)
    await register(
        connection,
        touch.profile_id,
        "report" if touch.kind == "profile.reported" else "touch",
        decide(_identifiers, touch),
        change,
        clock,
        causation_id=touch.event_id,
    )


def _identifiers(touch: RecordedTouch) -> list[RecordedIdentifier]:
    return [RecordedIdentifier.model_validate(identifier) for identifier in touch.identifiers]


def _unchanged(touch: RecordedTouch, clock: Clock) -> Change:
    unit = touch.body.get("unit")
    return lambda state: state if state.unit or not unit else state.model_copy(update={"unit": unit})


def _reported(touch: RecordedTouch, clock: Clock) -> Change:
    source, data = touch.body.get("source") or {}, touch.body.get("data") or {}
    statement = Statement(
        system=source.get("system") or touch.body["channel"],
        record=source.get("record"),
        fields={name: data[name] for name in FIELDS if data.get(name) not in (None, [], {})},
        relations=tuple(RelationState.model_validate(relation) for relation in data.get("relations") or ()),
        occurred_at=touch.occurred_at,
        event_id=touch.event_id,
    )
    unit = _unchanged(touch, clock)

    def change(state: ProfileState) -> ProfileState:
        return unit(with_report(state, statement)).model_copy(update={"registered": True})

    return change


def _consented(given: bool, touch: RecordedTouch, clock: Clock) -> Change:
    data = touch.body["data"]
    consent = ConsentState(
        purpose=data["purpose"],
        given=given,
        channel=data.get("channel"),
        wording=data.get("wording"),
        occurred_at=touch.occurred_at,
        event_id=touch.event_id,
    )
    return lambda state: with_consent(state, consent)


_CHANGES: dict[str, Callable[[RecordedTouch, Clock], Change]] = {
    "profile.reported": _reported,
    "consent.given": partial(_consented, True),
    "consent.withdrawn": partial(_consented, False),
}
_ASSET_CHANGES = frozenset({"asset.delivered", "asset.transferred", "asset.serviced"})


async def _take_asset(connection: Connection, touch: RecordedTouch, clock: Clock) -> None:
    data = touch.body["data"]
    keys = decide(lambda: [RecordedAssetKey.model_validate(key) for key in touch.assets])
    if touch.kind == "asset.serviced":
        done = AssetService(
            work_order=data["work_order"],
            occurred_at=touch.occurred_at,
            event_id=touch.event_id,
            mileage=data.get("mileage"),
        )
        change = service(done)
    else:
        change = holding(touch.profile_id, touch.occurred_at, touch.event_id)
    await change_asset(
        connection,
        keys,
        touch.profile_id,
        change,
        clock,
        type_=data.get("type"),
        model=data.get("model"),
        causation_id=touch.event_id,
    )
