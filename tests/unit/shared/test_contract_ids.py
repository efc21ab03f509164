"""How ids are made: sortable where new, equal where derived."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from rapport_shared.contracts.ids import (
    derived_id,
    first_touch_profile_id,
    new_id,
    recording_id,
    source_profile_id,
)

NOW = datetime(2026, 3, 1, 1, 30, tzinfo=UTC)


def test_a_new_id_is_a_version_7_that_carries_its_millisecond() -> None:
    made = new_id(NOW)
    assert made.version == 7
    assert made.variant == "specified in RFC 4122"
    assert made.int >> 80 == int(NOW.timestamp() * 1000)


def test_new_ids_sort_by_time_and_do_not_repeat() -> None:
    ids = [new_id(NOW + timedelta(milliseconds=millisecond)) for millisecond in range(50)]
    assert ids == sorted(ids)
    assert len({new_id(NOW) for _ in range(1000)}) == 1000


PARTS = st.lists(st.text("a\x1e\x1f", max_size=3), max_size=3)


@given(PARTS, PARTS)
def test_derived_ids_are_equal_for_equal_parts_alone(parts: list[str], others: list[str]) -> None:
    assert (derived_id("example", *parts) == derived_id("example", *others)) == (parts == others)


def test_a_separator_inside_a_part_joins_nothing() -> None:
    assert derived_id("a\x1fb") != derived_id("a", "b")
    assert derived_id("a\x1f", "b") != derived_id("a", "\x1fb")


def test_ids_that_two_parties_make_alike_never_change() -> None:
    assert source_profile_id("erp-east", "C-1001") == UUID("30038657-24c3-5719-8a15-36a335de7866")
    assert first_touch_profile_id("ab" * 32, 0) == UUID("85e97db4-1702-5aaf-9b22-15f1aaccfe65")
    assert first_touch_profile_id("ab" * 32, 1) != first_touch_profile_id("ab" * 32, 0)


def test_the_first_recording_keeps_the_id_of_its_touchpoint() -> None:
    touchpoint = UUID("019ca710-2640-7000-8000-000000000001")
    assert recording_id(touchpoint, 1) == touchpoint
    later = [recording_id(touchpoint, number) for number in (2, 3)]
    assert len({touchpoint, *later}) == 3
    assert recording_id(touchpoint, 2) == later[0]
