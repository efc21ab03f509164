"""How long a consumer rests: a rule of its load alone, with the time passed in."""

from hypothesis import given
from hypothesis import strategies as st

from rapport_shared.messaging.pace import Pace, Pacer, background_pace, urgent_pace

SECONDS = st.floats(min_value=0, max_value=100, allow_nan=False)
PACES = st.builds(lambda shortest, more: Pace(shortest, shortest + more), SECONDS, SECONDS)


@given(PACES, SECONDS, SECONDS)
def test_a_rest_lies_between_the_shortest_and_the_longest(pace: Pace, busy: float, idle: float) -> None:
    assert pace.shortest <= pace.rest(busy, idle) <= pace.longest


@given(PACES, SECONDS, SECONDS, SECONDS)
def test_a_rest_never_shrinks_when_the_load_grows(pace: Pace, busy: float, idle: float, more: float) -> None:
    assert pace.rest(busy, idle) <= pace.rest(busy + more, idle) + 1e-9
    assert pace.rest(busy, idle + more) <= pace.rest(busy, idle) + 1e-9


def test_an_urgent_consumer_without_load_does_not_rest_and_a_busy_one_rests_longest() -> None:
    pace = urgent_pace(0.020)
    assert pace.rest(busy=0.0, idle=1.0) == 0.0
    assert pace.rest(busy=0.001, idle=0.999) < 0.0001
    assert pace.rest(busy=0.010, idle=0.010) == 0.020
    assert pace.rest(busy=1.0, idle=0.0) == 0.020


def test_a_background_consumer_rests_half_of_the_longest_at_least() -> None:
    pace = background_pace(0.100)
    assert pace.rest(busy=0.0, idle=1.0) == 0.050
    assert pace.rest(busy=1.0, idle=0.0) == 0.100


def test_a_pacer_counts_rests_and_waiting_as_idle() -> None:
    now = 0.0
    pacer = Pacer(Pace(0.0, 1.0), lambda: now)
    now = 3.0
    pacer.begin()
    now = 4.0
    assert pacer.rest() == 0.5  # busy for one second of four
    now = 5.0
    pacer.begin()
    now = 6.0
    assert pacer.rest() == 1.0  # busy for one second of two


def test_batches_of_a_steady_stream_grow_until_the_consumer_is_busy_less_than_half_of_its_time() -> None:
    """Each batch costs four milliseconds whatever its size: unrested, the consumer would be busy all the time."""
    pace, rest = urgent_pace(0.020), 0.0
    for _ in range(50):
        rest = pace.rest(busy=0.004, idle=rest)
    assert 0.004 / (0.004 + rest) < 0.5
