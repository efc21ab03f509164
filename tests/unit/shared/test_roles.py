"""Loops that run for ever: they rest when there is nothing to do, wait out outages, and end at any other error."""

import asyncio
import logging

import asyncpg
import pytest
from aiokafka.errors import KafkaConnectionError, TopicAuthorizationFailedError
from hypothesis import given
from hypothesis import strategies as st

from rapport_shared.outages import LONGEST_WAIT_SECONDS, Outage, is_outage, wait_seconds
from rapport_shared.roles import repeat
from rapport_shared.waiting import look_until

AWAY = (asyncpg.DeadlockDetectedError(), asyncpg.CannotConnectNowError(), KafkaConnectionError(), OSError())
BROKEN = (asyncpg.UndefinedTableError(), TopicAuthorizationFailedError(), ValueError())


class Done(Exception):
    """Ends a loop that would go on for ever."""


@given(st.lists(st.sampled_from([True, False]), max_size=20))
def test_every_step_is_done_in_turn_whether_it_found_work_or_not(answers: list[bool]) -> None:
    left = list(answers)

    async def step() -> bool:
        if not left:
            raise Done
        return left.pop(0)

    with pytest.raises(Done):
        asyncio.run(repeat("test", step, rest_seconds=0))
    assert left == []


@pytest.mark.parametrize("error", AWAY, ids=lambda error: type(error).__name__)
async def test_a_loop_goes_on_after_an_outage_and_logs_it_once(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    steps = [error, error, True, Done()]

    async def step() -> bool:
        following = steps.pop(0)
        if isinstance(following, Exception):
            raise following
        return bool(following)

    with caplog.at_level(logging.WARNING), pytest.raises(Done):
        await repeat("test", step, rest_seconds=0)
    assert [record.message for record in caplog.records] == ["waiting for an outage to end"]


@pytest.mark.parametrize("error", BROKEN, ids=lambda error: type(error).__name__)
async def test_an_error_that_will_not_end_by_itself_ends_the_loop(error: Exception) -> None:
    async def step() -> bool:
        raise error

    with pytest.raises(type(error)):
        await repeat("test", step, rest_seconds=0)
    with pytest.raises(type(error)):
        await Outage("test").wait(error)


@given(st.lists(st.sampled_from([*AWAY, *BROKEN]), min_size=1, max_size=5))
def test_a_group_of_errors_is_an_outage_when_each_of_them_is(errors: list[Exception]) -> None:
    group = ExceptionGroup("several", [ExceptionGroup("one", errors[:1]), *errors[1:]])
    assert is_outage(group) == all(error in AWAY for error in errors)


@given(st.integers(min_value=1, max_value=10_000))
def test_waits_are_short_at_first_and_bounded(attempt: int) -> None:
    assert 0.05 <= wait_seconds(attempt) <= min(LONGEST_WAIT_SECONDS, 0.1 * 2 ** min(attempt, 10))


@given(st.lists(st.integers(min_value=0, max_value=3), min_size=1, max_size=10))
def test_looking_ends_at_the_first_accepted_answer(answers: list[int]) -> None:
    left = list(answers)

    async def look() -> int:
        return left.pop(0) if left else 3

    found = asyncio.run(look_until(look, lambda answer: answer == 3, wait_seconds=3600, every_seconds=0))
    assert found == 3
    assert len(answers) - len(left) == (answers.index(3) + 1 if 3 in answers else len(answers))


async def test_looking_happens_once_where_there_is_no_time_to_wait() -> None:
    looks: list[int] = []

    async def look() -> int:
        looks.append(1)
        return len(looks)

    assert await look_until(look, lambda answer: answer > 1, wait_seconds=0, every_seconds=0) == 1
