"""The matcher on a part of FEBRL data set 4; `python -m tests.benchmarks --only matching` takes all of all four."""

from functools import cache

import pytest

from rapport_customer.domain.matching import Features, Guard, Weights, features_of
from tests.support.febrl import records
from tests.support.matching_stream import Arrived, arrive

PEOPLE = 600
LEARNT = 300


@cache
def some() -> tuple[list[str], list[Features]]:
    """Both records of some people."""
    drawn = records(4, PEOPLE)
    return [record.person for record in drawn], [features_of(record.state) for record in drawn]


def arrived(weights: Weights, seed: int, learnt: int = LEARNT) -> Arrived:
    people, profiles = some()
    return arrive(people, profiles, weights, seed, learnt)


@pytest.mark.parametrize("seed", [1, 2])
def test_weights_that_were_learnt_without_labels_find_who_is_one(seed: int) -> None:
    found = arrived(Weights(guards=(Guard.KIND,)), seed)
    assert found.precision >= 0.9995, f"expected next to nobody to be joined wrongly: {found.precision:.4f}"
    assert found.recall >= 0.995, f"expected nearly all pairs to be joined: {found.recall:.4f}"


def test_weights_as_shipped_find_who_is_one() -> None:
    found = arrived(Weights(guards=(Guard.KIND,)), 1, learnt=0)
    assert found.precision >= 0.9995, f"expected next to nobody to be joined wrongly: {found.precision:.4f}"
    assert found.recall >= 0.95, f"expected most pairs to be joined: {found.recall:.4f}"


def test_guards_leave_to_people_what_twins_and_relatives_may_be() -> None:
    found = arrived(Weights(), 1)
    assert found.precision == 1
    assert found.recall >= 0.7, f"expected most pairs to be joined without asking: {found.recall:.4f}"
    assert found.recall_with_review >= 0.98, f"expected the others for review: {found.recall_with_review:.4f}"
