"""Who held an asset that a plate or a serial number named, at the time of a touch."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from rapport_interaction.domain.conversations import Holders, holder_at, holders_by_key
from rapport_shared.contracts.customer import AssetHolding, AssetKey, AssetState
from rapport_shared.contracts.interaction import RecordedAssetKey

BEGUN = datetime(2026, 3, 1, tzinfo=UTC)
ANNA, BERT = UUID(int=1), UUID(int=2)
PLATE = RecordedAssetKey(type="plate", key="plate", raw="B-AB 1", normal="BAB1", norm_version=1)


def day(number: int) -> datetime:
    return BEGUN + timedelta(days=number)


def car(number: int, plate: AssetKey | None, *held: tuple[UUID, int], former: tuple[AssetKey, ...] = ()) -> AssetState:
    keys = (AssetKey(type="serial", key=f"serial-{number}", normal=str(number)), *([plate] if plate else []))
    holdings = tuple(AssetHolding(profile_id=who, from_at=day(at), event_id=UUID(int=at)) for who, at in held)
    return AssetState(asset_id=UUID(int=number), keys=keys, former_keys=former, holdings=holdings)


def plate(from_day: int | None = None, until_day: int | None = None) -> AssetKey:
    from_at, until = (None if at is None else day(at) for at in (from_day, until_day))
    return AssetKey(type="plate", key="plate", normal="BAB1", from_at=from_at, until=until)


def together(*assets: AssetState) -> Holders:
    found: Holders = {}
    for asset in assets:
        for key, held in holders_by_key(asset).items():
            found[key] = sorted([*found.get(key, []), *held])
    return found


def test_a_plate_names_whoever_held_the_vehicle_that_it_was_on() -> None:
    old = car(1, None, (ANNA, 1), former=(plate(until_day=10),))
    new = car(2, plate(from_day=10), (BERT, 5))
    holders = together(old, new)
    found = [holder_at([PLATE], day(at), holders) for at in (0, 1, 7, 10, 20)]
    assert found == [None, ANNA, ANNA, BERT, BERT]


def test_who_sold_the_vehicle_before_it_had_the_plate_is_not_named_by_it() -> None:
    holders = together(car(2, plate(from_day=10), (ANNA, 1), (BERT, 5)))
    assert [holder_at([PLATE], day(at), holders) for at in (6, 11)] == [None, BERT]


def test_a_holding_that_was_taken_back_names_nobody() -> None:
    assert holder_at([PLATE], day(9), together(car(1, plate()))) is None
