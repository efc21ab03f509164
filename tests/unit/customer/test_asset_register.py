"""An asset is the same whatever order its touches and their retractions came in, and so is where a plate was."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from rapport_customer.domain.assets import with_holding, with_service, without_touch
from rapport_customer.domain.plates import PlateStatement, asset_at, spans, with_plate
from rapport_shared.contracts.customer import AssetKey, AssetService, AssetState

BEGUN = datetime(2026, 3, 1, tzinfo=UTC)
Touch = tuple[str, int, int]
"""A holder, or the mileage of one of two work orders; and the day."""
TOUCHES = st.lists(
    st.tuples(st.sampled_from(["held", "A-1", "A-2"]), st.integers(1, 3), st.integers(0, 4)), min_size=1, max_size=7
)


def change(event_id: UUID, touch: Touch) -> Callable[[AssetState], AssetState]:
    what, number, day = touch
    at = BEGUN + timedelta(days=day)
    if what == "held":
        return lambda state: with_holding(state, UUID(int=number), at, event_id)
    done = AssetService(work_order=what, occurred_at=at, event_id=event_id, mileage=number)
    return lambda state: with_service(state, done)


@given(TOUCHES, st.data())
def test_what_is_left_is_what_the_touches_that_count_tell(drawn: list[Touch], data: st.DataObject) -> None:
    touches = {UUID(int=100 + number): touch for number, touch in enumerate(drawn)}
    retracted = data.draw(st.sets(st.sampled_from(sorted(touches))))
    happened = [(event_id, False) for event_id in touches] + [(event_id, True) for event_id in retracted]
    state = expected = AssetState(asset_id=UUID(int=1), keys=())
    counting: set[UUID] = set()
    ended: set[UUID] = set()
    for event_id, ends in data.draw(st.permutations(happened + happened[:3])):
        if ends:
            ended.add(event_id)
            counting.discard(event_id)
            state = without_touch(state, event_id)
            for one in sorted(counting):
                state = change(one, touches[one])(state)
        elif event_id not in ended:
            counting.add(event_id)
            state = change(event_id, touches[event_id])(state)
    for event_id in sorted(touches.keys() - retracted):
        expected = change(event_id, touches[event_id])(expected)
    assert (state.holdings, state.services) == (expected.holdings, expected.services)
    holders = {holding.profile_id for holding in state.holdings}
    assert holders.isdisjoint(state.former_holders)


STATED = st.lists(st.tuples(st.integers(1, 3), st.integers(0, 5)), min_size=1, max_size=8)


@given(STATED, st.randoms(use_true_random=False))
def test_a_plate_is_on_one_asset_at_a_time_in_any_order(drawn: list[tuple[int, int]], order: object) -> None:
    stated = [
        PlateStatement(UUID(int=asset), BEGUN + timedelta(days=day), UUID(int=number))
        for number, (asset, day) in enumerate(drawn)
    ]
    known = spans(stated)
    order.shuffle(stated)  # type: ignore[attr-defined]
    assert spans(stated) == known
    assert known[0].from_at is None
    assert known[-1].until is None
    assert [span.until for span in known[:-1]] == [span.from_at for span in known[1:]]
    for one in stated:
        later = [other for other in stated if (other.stated_at, other.event_id) > (one.stated_at, one.event_id)]
        if all(other.stated_at > one.stated_at for other in later):
            assert asset_at(known, one.stated_at) == one.asset_id
    plate = AssetKey(type="plate", key="k", normal="BAB1")
    holding = [
        asset
        for asset in range(1, 4)
        if with_plate(AssetState(asset_id=UUID(int=asset), keys=(plate,)), plate, known).keys
    ]
    assert holding == [known[-1].asset_id.int]
