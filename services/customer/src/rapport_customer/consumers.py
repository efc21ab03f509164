"""The consumers: a recorded touchpoint may create or report a profile, or say something about an asset."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial, reduce
from typing import Final

from rapport_customer import store
from rapport_customer.commands.asset_touches import ASSET_CHANGES, retract_asset, take_asset
from rapport_customer.commands.links import named_by_others, own_record
from rapport_customer.commands.policies import MATCHING, MATCHING_PLACE, own_rules
from rapport_customer.commands.profiles import Change, register
from rapport_customer.commands.touches import RecordedTouch, Retraction, keep_touch, kept_touch, read_touch
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
from rapport_shared.contracts.customer import ConsentState, ProfileState
from rapport_shared.contracts.interaction import RecordedIdentifier
from rapport_shared.database import Connection
from rapport_shared.messaging.consumer import Subscription
from rapport_shared.messaging.outbox import OutboxSignal
from rapport_shared.messaging.outcomes import rejecting
from rapport_shared.own_fields import OwnRules
from rapport_shared.policies import active_document

REPORT: Final = "profile.reported"


def touches(secret: bytes, clock: Clock, signal: OutboxSignal) -> Subscription[RecordedTouch | Retraction]:
    """The reaction that updates profiles, routes and assets by recorded and retracted touchpoints."""
    return Subscription(
        consumer="touches",
        topics=(INTERACTION_EVENTS,),
        decode=read_touch,
        apply=partial(_apply, secret, clock),
        committed=signal.committed,
        types=frozenset({INTERACTION_RECORDED.wire, INTERACTION_RETRACTED.wire}),
    )


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
        if touch.kind in ASSET_CHANGES:
            await take_asset(connection, touch, clock)


def _with_own(rules: OwnRules, item: RecordedTouch | Retraction) -> RecordedTouch | Retraction:
    if isinstance(item, Retraction) or not item.body.get("attributes"):
        return item
    if item.kind != REPORT and item.kind not in ASSET_CHANGES:
        return item
    checks = rules.profiles if item.kind == REPORT else rules.assets
    return replace(item, own=rejecting(checks.stated, item.body["attributes"]))


async def _with_records_that_others_name(
    connection: Connection, secret: bytes, batch: Sequence[RecordedTouch | Retraction]
) -> list[RecordedTouch | Retraction]:
    """A report of a record also claims the record's external identifier, if other touchpoints named it before."""
    own = {
        item.event_id: rejecting(own_record, secret, source["system"], source["record"])
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
    change = rejecting(_CHANGES.get(touch.kind, _unchanged), touch, policy)
    if touch.kind == REPORT and not await keep_touch(connection, touch):
        change = _unchanged(touch, policy)
    await register(
        connection,
        touch.profile_id,
        "report" if touch.kind == REPORT else "touch",
        rejecting(_identifiers, touch),
        change,
        policy,
        clock,
        causation_id=touch.event_id,
    )


async def _withdraw_everywhere(
    connection: Connection, touch: RecordedTouch, policy: MatchingPolicy, clock: Clock
) -> None:
    """A withdrawal of consent applies to every profile of the customer, also after the profiles are separated."""
    membership = (await store.memberships(connection, [touch.profile_id]))[touch.profile_id]
    change = rejecting(_consented, False, touch, policy)
    for member in await store.members(connection, membership.customer_id):
        if member.profile_id != touch.profile_id:
            await register(
                connection, member.profile_id, "touch", (), change, policy, clock, causation_id=touch.event_id
            )


async def _retract(connection: Connection, retraction: Retraction, policy: MatchingPolicy, clock: Clock) -> None:
    counting = await store.retract_report(connection, retraction.retracted, retraction.profile_id)
    asset_id = await store.asset_of_report(connection, retraction.retracted)
    if asset_id is not None:
        await retract_asset(connection, retraction, asset_id, clock)
        return
    if not await store.known_profiles(connection, [retraction.profile_id]):
        return
    reports = [kept_touch(event_id, retraction.profile_id, text) for event_id, text in counting.items()]
    changes = [rejecting(_reported, report, policy) for report in reports]

    def change(state: ProfileState) -> ProfileState:
        return reduce(lambda so_far, one: one(so_far), changes, without_report(state, retraction.retracted))

    await register(
        connection, retraction.profile_id, "touch", (), change, policy, clock, causation_id=retraction.event_id
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
