"""Lists in pages: read one after another, the pages are the list; no text but a cursor of the list is taken."""

import asyncio
import base64
import contextlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport_shared.errors import Problem
from rapport_shared.pages import Keyset

Key = tuple[datetime, UUID, str, int, float]

LIST: Keyset[Key] = Keyset(datetime, UUID, str, int, float)

KEYS = st.tuples(
    st.datetimes(timezones=st.just(UTC)),
    st.uuids(),
    st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"])),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(-1e9, 1e9),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=6),
)


@given(KEYS)
def test_a_cursor_carries_its_key(key: Key) -> None:
    assert LIST.position(LIST.cursor(key)) == key


@given(st.sets(KEYS, max_size=20), st.integers(1, 7))
def test_the_pages_of_a_list_are_the_list(keys: set[Key], limit: int) -> None:
    everything = sorted(keys, reverse=True)

    async def fetch(after: Key | None, wanted: int) -> Sequence[Key]:
        return [key for key in everything if after is None or key < after][:wanted]

    async def read() -> list[Key]:
        seen: list[Key] = []
        cursor: str | None = None
        while True:
            page = await LIST.page(cursor, limit, fetch, lambda key: key)
            assert len(page.items) <= limit
            seen += page.items
            cursor = page.next_cursor
            if cursor is None:
                return seen

    assert asyncio.run(read()) == everything


@given(st.text(st.characters(exclude_categories=["Cs"])) | JSON.map(lambda value: _encoded(value)))
def test_a_text_is_a_cursor_of_the_list_or_refused(text: str) -> None:
    with contextlib.suppress(Problem):
        key = LIST.position(text)
        assert key is not None
        assert LIST.position(LIST.cursor(key)) == key


@pytest.mark.parametrize(
    "parts",
    [
        ["2026-03-01T00:00:00", str(UUID(int=1)), "a", 1, 1.0],
        ["2026-03-01T00:00:00+00:00", "1", "a", 1, 1.0],
        ["2026-03-01T00:00:00+00:00", str(UUID(int=1)), "\x00", 1, 1.0],
        ["2026-03-01T00:00:00+00:00", str(UUID(int=1)), "a", 2**63, 1.0],
        ["2026-03-01T00:00:00+00:00", str(UUID(int=1)), "a", True, 1.0],
        ["2026-03-01T00:00:00+00:00", str(UUID(int=1)), "a", 1, float("nan")],
        ["2026-03-01T00:00:00+00:00", str(UUID(int=1)), "a", 1],
    ],
    ids=["no offset", "no id", "NUL", "too large", "a boolean", "no number", "too short"],
)
def test_a_key_that_the_database_would_refuse_is_refused(parts: list[object]) -> None:
    with pytest.raises(Problem) as refused:
        LIST.position(_encoded(parts))
    assert [error.pointer for error in refused.value.errors] == ["/query/cursor"]


def test_the_condition_names_each_part_of_the_key() -> None:
    two: Keyset[tuple[datetime, UUID]] = Keyset(datetime, UUID)
    assert two.behind("at, id", 3) == "($3::timestamptz IS NULL OR (at, id) < ($3::timestamptz, $4::uuid))"
    assert two.behind("at, id", 1, ">") == "($1::timestamptz IS NULL OR (at, id) > ($1::timestamptz, $2::uuid))"
    assert two.parameters(None) == (None, None)


def _encoded(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")
