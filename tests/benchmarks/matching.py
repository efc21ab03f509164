"""How well the matcher finds duplicates in the FEBRL data sets, and what it costs; needs no infrastructure."""

from collections.abc import Sequence
from time import thread_time
from typing import Final

from rapport_customer.domain.matching import Guard, Weights, features_of
from tests.benchmarks.figures import Figure, share, size
from tests.support.febrl import records
from tests.support.matching_stream import Arrived, arrive

LEARNT: Final = 1_000
SEEDS: Final = (1, 2, 3, 4, 5)
SHIPPED: Final = Weights()
UNGUARDED: Final = Weights(guards=(Guard.KIND,))
"""Nobody in FEBRL has relatives, and one in twelve has a given name replaced by another: only weights decide."""

KNOWN_PRECISION: Final = 1.0
KNOWN_RECALL: Final = 0.9938
"""The best that is known of set 4 without the social security number: splink reaches a precision of 1.000 and a recall
of 0.992, the EM classifier of recordlinkage 0.9992 and 0.9938, a matcher of streams 1.000 and 0.9932."""

KNOWN_SET: Final = 4


async def measure(quick: bool) -> list[Figure]:
    """The figures of sets 1 to 4, the worst of five orders of arrival; set 1 alone, in one order, if `quick`.

    Of the cost it is the least, for the machine is shared.
    """
    numbers, seeds = ((1,), SEEDS[:1]) if quick else ((1, 2, 3, 4), SEEDS)
    return [figure for number in numbers for figure in _of_set(number, seeds)]


def _of_set(number: int, seeds: Sequence[int]) -> list[Figure]:
    stated = records(number)
    began = thread_time()
    profiles = [features_of(record.state) for record in stated]
    features = (thread_time() - began) / len(profiles) * 1e6
    people = [record.person for record in stated]
    free = [arrive(people, profiles, UNGUARDED, seed, LEARNT) for seed in seeds]
    guarded = [arrive(people, profiles, SHIPPED, seed, LEARNT) for seed in seeds]
    name, known = f"matching_{number}", number == KNOWN_SET
    return [
        share(f"{name}_precision", _worst(free, "precision"), KNOWN_PRECISION if known else None),
        share(f"{name}_recall", _worst(free, "recall"), KNOWN_RECALL if known else None),
        share(f"{name}_guarded_precision", _worst(guarded, "precision"), None),
        share(f"{name}_guarded_recall", _worst(guarded, "recall"), None),
        share(f"{name}_guarded_with_review", _worst(guarded, "recall_with_review"), None),
        size(f"{name}_cost", min(arrived.microseconds for arrived in free), "µs of CPU"),
        size(f"{name}_features", features, "µs of CPU"),
    ]


def _worst(runs: Sequence[Arrived], figure: str) -> float:
    return min(float(getattr(arrived, figure)) for arrived in runs)
