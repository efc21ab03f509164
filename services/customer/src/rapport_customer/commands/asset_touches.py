"""Records the statements of touchpoints about assets, and removes them on retraction."""

from uuid import UUID

from rapport_customer import store
from rapport_customer.commands.asset_register import AssetMention, Change, change_asset, take_back
from rapport_customer.commands.assets import attributed, holding, service
from rapport_customer.commands.touches import RecordedTouch, Retraction, keep_touch, kept_touch
from rapport_shared.clock import Clock
from rapport_shared.contracts.customer import AssetService
from rapport_shared.contracts.interaction import RecordedAssetKey
from rapport_shared.database import Connection
from rapport_shared.messaging.outcomes import rejecting

ASSET_CHANGES = frozenset({"asset.delivered", "asset.transferred", "asset.serviced"})
"""The kinds of touchpoints that say something about an asset."""


async def take_asset(connection: Connection, touch: RecordedTouch, clock: Clock) -> None:
    """Changes the asset that a touchpoint is about, unless the touchpoint is retracted already."""
    if not touch.assets or not await keep_touch(connection, touch):
        return
    keys = rejecting(lambda: [RecordedAssetKey.model_validate(key) for key in touch.assets])
    data = touch.body["data"]
    told = AssetMention(keys, touch.occurred_at, touch.event_id, data.get("type"), data.get("model"))
    asset_id, _ = await change_asset(
        connection, told, touch.profile_id, rejecting(_asset_change, touch), clock, causation_id=touch.event_id
    )
    await store.name_asset(connection, touch.event_id, asset_id)


async def retract_asset(connection: Connection, retraction: Retraction, asset_id: UUID, clock: Clock) -> None:
    """Removes the statements of a retracted touchpoint from its asset, and applies the remaining touchpoints again."""
    counting = await store.reports_of_asset(connection, asset_id)
    again = [_asset_change(kept_touch(event_id, *told)) for event_id, told in counting.items()]
    await take_back(
        connection,
        asset_id,
        retraction.retracted,
        retraction.profile_id,
        again,
        clock,
        causation_id=retraction.event_id,
    )


def _asset_change(touch: RecordedTouch) -> Change:
    """The statement of a touchpoint about its asset."""
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
