"""Relatives, twins, namesakes, colleagues and companies in one building are never joined; one party is."""

import pytest

from rapport_customer.domain.matching import Weights, blocking_keys, compare
from tests.unit.customer.matching_pairs import Pair, others, same

SHIPPED = Weights()
OTHERS, SAME = list(others()), list(same())


def _said(pair: Pair) -> str:
    compared = compare(SHIPPED, pair[1], pair[2])
    codes = [reason.code for reason in compared.reasons]
    return f"{pair[0]}: {compared.outcome} at {compared.weight:.1f} of {SHIPPED.upper:g} for {codes}"


def test_nobody_is_joined_with_somebody_else() -> None:
    assert len(OTHERS) > 100, "the set is too small to say anything"
    joined = [_said(pair) for pair in OTHERS if compare(SHIPPED, pair[1], pair[2]).outcome == "join"]
    assert not joined, "joined, though they are two:\n" + "\n".join(joined)


@pytest.mark.parametrize("pair", SAME, ids=[pair[0] for pair in SAME])
def test_who_is_one_is_joined(pair: Pair) -> None:
    assert compare(SHIPPED, pair[1], pair[2]).outcome == "join", f"expected to join: {_said(pair)}"
    assert blocking_keys(pair[1]) & blocking_keys(pair[2]), f"expected to find each other: {pair[0]}"


def test_the_review_queue_is_not_flooded_with_relatives() -> None:
    for name, one, other in OTHERS:
        if name.startswith(("siblings", "spouses", "colleagues", "a recycled number, both dated")):
            outcome = compare(SHIPPED, one, other).outcome
            assert outcome == "none", f"expected nothing for {name}: {outcome}"


def test_a_pair_is_reviewed_where_a_person_may_know_better() -> None:
    doubtful = {name for name, one, other in OTHERS if compare(SHIPPED, one, other).outcome == "review"}
    expected = {"twins", "perhaps father and son", "other characters of one sound"}
    assert expected <= doubtful, f"expected for review: {expected - doubtful}"
