"""What the customer service reads: every recorded touch may make a profile, report one, or tell of an asset."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial, reduce
from typing import Any, Final
from uuid import UUID

import orjson

from rapport_customer import store
from rapport_customer.commands.asset_register import Change as AssetChange
from rapport_customer.commands.asset_register import Told, change_asset, take_back
from rapport_customer.commands.assets import attributed, holding, service
from rapport_customer.commands.links import named_by_others, own_record
from rapport_customer.commands.policies import MATCHING, MATCHING_PLACE, own_rules
from rapport_customer.commands.profiles import Change, register
from rapport_customer.domain.own_fields import as_fields
from rapport_customer.domain.policy import MatchingPolicy
from rapport_customer.domain.profiles import (
    FIELDS,
    Statement,
    with_consent,
    with_report,
    with_stated_relations,
    without_report,
)
from rapport_shared.clock import Clock
from rapport_shared.contracts.catalogue import INTERACTION_EVENTS, INTERACTION_RECORDED, INTERACTION_RETRACTED
from rapport_shared.contracts.customer import AssetService, ConsentState, ProfileState
from rapport_shared.contracts.envelope import decode_envelope
from rapport_shared.contracts.interaction import RecordedAssetKey, RecordedIdentifier
from rapport_shared.database import Connection
from rapport_shared.messaging.consumer import Subscription
from rapport_shared.messaging.outbox import OutboxSignal
from rapport_shared.messaging.outcomes import decide
from rapport_shared.messaging.records import Record
from rapport_shared.own_fields import OwnRules
from rapport_shared.policies import active_document

REPORT: Final = "profile.reported"


@dataclass(frozen=True, slots=True)
class RecordedTouch:
    """A recorded touchpoint, as far as profiles and assets care. `body` is the touchpoint as it was sent.

    `own` are those of its attributes that are declared for the profile or the asset that it reports.
    """

    event_id: UUID
    profile_id: UUID
    occurred_at: datetime
    kind: str
    identifiers: tuple[dict[str, Any], ...]
    assets: tuple[dict[str, Any], ...]
    body: dict[str, Any]
    own: dict[str, Any] = field(default_factory=dict)

    @property
    def source_record(self) -> dict[str, str] | None:
        """System and record of the source, where it names a record."""
        source = self.body.get("source") or {}
        return source if source.get("system") and source.get("record") else None

    @property
    def keys(self) -> set[str]:
        """The identifiers that a touch may bring to its profile."""
        return {identifier["key"] for identifier in self.identifiers if identifier.get("routable", True)}


@dataclass(frozen=True, slots=True)
class Retraction:
    """A recorded touchpoint of a profile no longer counts."""

    event_id: UUID
    profile_id: UUID
    retracted: UUID


def touches(secret: bytes, clock: Clock, signal: OutboxSignal) -> Subscription[RecordedTouch | Retraction]:
    """The reaction that keeps profiles, routes and assets up with what was recorded, and with retracted reports."""
    return Subscription(
        consumer="touches",
        topics=(INTERACTION_EVENTS,),
        decode=read_touch,
        apply=partial(_apply, secret, clock),
        committed=partial(_notify, signal),
    )


def read_touch(record: Record) -> RecordedTouch | Retraction | None:
    """The touch or the retraction in a record; None for other events and for anonymous touches."""
    wire = record.headers.get("ce_type")
    if wire not in (INTERACTION_RECORDED.wire, INTERACTION_RETRACTED.wire) or record.value is None:
        return None
    if "ce_profileid" not in record.headers:
        return None
    envelope = decode_envelope(record.headers)
    assert envelope.profile_id is not None
    data = orjson.loads(record.value)
    if wire == INTERACTION_RETRACTED.wire:
        return decide(_retraction, envelope.id, envelope.profile_id, data)
    return decide(_touch, envelope.id, envelope.profile_id, envelope.occurred_at, data)


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


def _retraction(event_id: UUID, profile_id: UUID, data: dict[str, Any]) -> Retraction:
    return Retraction(event_id, profile_id, UUID(data["event_id"]))


async def _notify(signal: OutboxSignal) -> None:
    signal.notify()


async def _apply(
    secret: bytes, clock: Clock, connection: Connection, batch: Sequence[RecordedTouch | Retraction]
) -> None:
    batch = await _with_records_that_others_name(connection, secret, batch)
    profile_ids = {item.profile_id for item in batch}
    known = await store.known_profiles(connection, profile_ids)
    claimed = await store.claimed_identifiers(connection, profile_ids)
    policy = await active_document(connection, MATCHING, MATCHING_PLACE)
    rules = await own_rules(connection)
    for touch in (_with_own(rules, item) for item in batch):
        if isinstance(touch, Retraction):
            await _retract(connection, touch, policy, clock)
            continue
        claims = {(touch.profile_id, key) for key in touch.keys}
        if touch.kind in _CHANGES or touch.profile_id not in known or claims - claimed:
            await _take(connection, touch, policy, clock)
            known.add(touch.profile_id)
            claimed |= claims
        if touch.kind == "consent.withdrawn":
            await _withdraw_everywhere(connection, touch, policy, clock)
        if touch.kind in _ASSET_CHANGES:
            await _take_asset(connection, touch, clock)


def _with_own(rules: OwnRules, item: RecordedTouch | Retraction) -> RecordedTouch | Retraction:
    if isinstance(item, Retraction) or not item.body.get("attributes"):
        return item
    if item.kind != REPORT and item.kind not in _ASSET_CHANGES:
        return item
    checks = rules.profiles if item.kind == REPORT else rules.assets
    return replace(item, own=decide(checks.stated, item.body["attributes"]))


async def _with_records_that_others_name(
    connection: Connection, secret: bytes, batch: Sequence[RecordedTouch | Retraction]
) -> list[RecordedTouch | Retraction]:
    """A report of a record that others have named before claims that identifier too."""
    own = {
        item.event_id: decide(own_record, secret, source["system"], source["record"])
        for item in batch
        if isinstance(item, RecordedTouch) and item.kind == REPORT and (source := item.source_record)
    }
    named = await named_by_others(connection, list(own.values())) if own else set()
    claims = {event_id: record.model_dump(mode="json") for event_id, record in own.items() if record.key in named}
    return [
        replace(item, identifiers=(*item.identifiers, claims[item.event_id]))
        if isinstance(item, RecordedTouch) and item.event_id in claims
        else item
        for item in batch
    ]


async def _take(connection: Connection, touch: RecordedTouch, policy: MatchingPolicy, clock: Clock) -> None:
    change = decide(_CHANGES.get(touch.kind, _unchanged), touch, policy)
    if touch.kind == REPORT and not await _keep_report(connection, touch):
        change = _unchanged(touch, policy)
    await register(
        connection,
        touch.profile_id,
        "report" if touch.kind == REPORT else "touch",
        decide(_identifiers, touch),
        change,
        policy,
        clock,
        causation_id=touch.event_id,
    )


async def _withdraw_everywhere(
    connection: Connection, touch: RecordedTouch, policy: MatchingPolicy, clock: Clock
) -> None:
    """A withdrawn consent counts at every profile that the customer has, also after they are parted."""
    membership = (await store.memberships(connection, [touch.profile_id]))[touch.profile_id]
    change = decide(_consented, False, touch, policy)
    for member in await store.members(connection, membership.customer_id):
        if member.profile_id != touch.profile_id:
            await register(
                connection, member.profile_id, "touch", (), change, policy, clock, causation_id=touch.event_id
            )


async def _keep_report(connection: Connection, touch: RecordedTouch) -> bool:
    told = orjson.dumps({"occurred_at": touch.occurred_at, "body": touch.body, "own": touch.own}).decode()
    return await store.keep_report(connection, touch.event_id, touch.profile_id, told)


async def _retract(connection: Connection, retraction: Retraction, policy: MatchingPolicy, clock: Clock) -> None:
    counting = await store.retract_report(connection, retraction.retracted, retraction.profile_id)
    asset_id = await store.asset_of_report(connection, retraction.retracted)
    if asset_id is not None:
        await _retract_asset(connection, retraction, asset_id, clock)
        return
    if not await store.known_profiles(connection, [retraction.profile_id]):
        return
    reports = [_report(event_id, retraction.profile_id, text) for event_id, text in counting.items()]
    changes = [decide(_reported, report, policy) for report in reports]

    def change(state: ProfileState) -> ProfileState:
        return reduce(lambda so_far, one: one(so_far), changes, without_report(state, retraction.retracted))

    await register(
        connection, retraction.profile_id, "touch", (), change, policy, clock, causation_id=retraction.event_id
    )


def _report(event_id: UUID, profile_id: UUID, text: str) -> RecordedTouch:
    told = orjson.loads(text)
    return RecordedTouch(
        event_id,
        profile_id,
        datetime.fromisoformat(told["occurred_at"]),
        told["body"]["kind"],
        (),
        (),
        told["body"],
        told.get("own") or {},
    )


def _identifiers(touch: RecordedTouch) -> list[RecordedIdentifier]:
    return [RecordedIdentifier.model_validate(identifier) for identifier in touch.identifiers]


def _unchanged(touch: RecordedTouch, policy: MatchingPolicy) -> Change:
    unit = touch.body.get("unit")
    return lambda state: state if state.unit or not unit else state.model_copy(update={"unit": unit})


def _reported(touch: RecordedTouch, policy: MatchingPolicy) -> Change:
    source, data = touch.body.get("source") or {}, touch.body.get("data") or {}
    system = source.get("system") or touch.body["channel"]
    statement = Statement(
        system=system,
        record=source.get("record"),
        fields={name: data[name] for name in FIELDS if data.get(name) not in (None, [], {})} | as_fields(touch.own),
        relations=None,
        occurred_at=touch.occurred_at,
        event_id=touch.event_id,
        priority=policy.priority(system),
    )
    statement = with_stated_relations(statement, data.get("relations") or ())
    unit = _unchanged(touch, policy)

    def change(state: ProfileState) -> ProfileState:
        return unit(with_report(state, statement)).model_copy(update={"registered": True})

    return change


def _consented(given: bool, touch: RecordedTouch, policy: MatchingPolicy) -> Change:
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


_CHANGES: dict[str, Callable[[RecordedTouch, MatchingPolicy], Change]] = {
    REPORT: _reported,
    "consent.given": partial(_consented, True),
    "consent.withdrawn": partial(_consented, False),
}
_ASSET_CHANGES = frozenset({"asset.delivered", "asset.transferred", "asset.serviced"})


async def _take_asset(connection: Connection, touch: RecordedTouch, clock: Clock) -> None:
    if not touch.assets or not await _keep_report(connection, touch):
        return
    keys = decide(lambda: [RecordedAssetKey.model_validate(key) for key in touch.assets])
    data = touch.body["data"]
    told = Told(keys, touch.occurred_at, touch.event_id, data.get("type"), data.get("model"))
    asset_id, _ = await change_asset(
        connection, told, touch.profile_id, decide(_asset_change, touch), clock, causation_id=touch.event_id
    )
    await store.name_asset(connection, touch.event_id, asset_id)


async def _retract_asset(connection: Connection, retraction: Retraction, asset_id: UUID, clock: Clock) -> None:
    counting = await store.reports_of_asset(connection, asset_id)
    again = [_asset_change(_report(event_id, *told)) for event_id, told in counting.items()]
    await take_back(
        connection,
        asset_id,
        retraction.retracted,
        retraction.profile_id,
        again,
        clock,
        causation_id=retraction.event_id,
    )


def _asset_change(touch: RecordedTouch) -> AssetChange:
    """What a touch says of the asset that it tells of."""
    data = touch.body["data"]
    own = attributed(touch.own, touch.occurred_at, touch.event_id)
    if touch.kind != "asset.serviced":
        held = holding(touch.profile_id, touch.occurred_at, touch.event_id)
        return lambda state: own(held(state))
    done = service(
        AssetService(
            work_order=data["work_order"],
            occurred_at=touch.occurred_at,
            event_id=touch.event_id,
            mileage=data.get("mileage"),
        )
    )
    return lambda state: own(done(state))
