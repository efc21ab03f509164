"""Training finds the shares that made the pairs, is deterministic, and does no harm where there is little to learn."""

from collections import Counter
from random import Random

import pytest

from rapport_customer.domain.matching import Features, Field, Weights, train
from rapport_customer.domain.matching.levels import FIELDS, MISSING, Pattern
from rapport_customer.domain.matching.training import Table, estimate
from tests.support.parties import party

SHIPPED = Weights()
COMPARED = 6
M = ((0.05, 0.03, 0.07, 0.85),) * COMPARED
U = ((0.90, 0.05, 0.03, 0.02),) * COMPARED
BEGIN_M, BEGIN_U = ((0.2, 0.1, 0.1, 0.6),) * len(FIELDS), ((0.7, 0.1, 0.1, 0.1),) * len(FIELDS)


def pairs(matches: int, others: int, seed: int) -> Counter[Pattern]:
    """Patterns that are drawn from M and U, a tenth of the values missing; of six fields, the rest is missing."""
    random = Random(seed)
    drawn: Counter[Pattern] = Counter()
    for count, table in ((matches, M), (others, U)):
        for _ in range(count):
            levels = [_level(random, shares) for shares in table]
            drawn[(*levels, *(MISSING,) * (len(FIELDS) - COMPARED))] += 1
    return drawn


def _level(random: Random, shares: tuple[float, ...]) -> int:
    return MISSING if random.random() < 0.1 else random.choices(range(1, 5), shares)[0]


@pytest.mark.parametrize(("matches", "others"), [(2_000, 2_000), (500, 5_000)])
def test_known_shares_are_found_again(matches: int, others: int) -> None:
    found = estimate(pairs(matches, others, 7), BEGIN_M, BEGIN_U)
    assert found.matches == pytest.approx(matches, rel=0.05)
    _near(found.m, M, 0.05)
    _near(found.others, U, 0.03)


def _near(found: Table, expected: Table, tolerance: float) -> None:
    for place, shares in enumerate(expected):
        assert found[place] == pytest.approx(shares, abs=tolerance), f"expected {FIELDS[place]} to be found again"


def test_few_matches_leave_the_shares_where_they_were() -> None:
    found = estimate(pairs(3, 4_000, 7), M + BEGIN_M[COMPARED:], BEGIN_U)
    assert found.matches == pytest.approx(3, abs=3)
    _near(found.m, M, 0.12)


def test_nothing_to_learn_from_changes_nothing() -> None:
    assert train(SHIPPED, []) == SHIPPED
    assert train(SHIPPED, [party("王小明")]) == SHIPPED
    found = estimate({}, BEGIN_M, BEGIN_U)
    assert (found.m, found.others, found.matches) == (BEGIN_M, BEGIN_U, 0)


def test_training_is_deterministic_and_keeps_what_a_policy_decides() -> None:
    profiles = some_profiles(200)
    policy = Weights(upper=12, lower=3)
    trained = train(policy, profiles)
    assert trained == train(policy, profiles)
    assert (trained.upper, trained.lower, trained.guards, trained.common) == (12, 3, policy.guards, policy.common)
    assert trained.table != policy.table, "expected weights of their own"
    assert -20 < trained.prior < -8


def test_a_field_that_nobody_states_keeps_its_weights() -> None:
    trained = train(SHIPPED, some_profiles(200))
    for field in (Field.EMAIL, Field.ACCOUNT, Field.NAME):
        before, after = (weights.table[FIELDS.index(field)] for weights in (SHIPPED, trained))
        assert after == pytest.approx(before, abs=0.05), f"expected the weights of {field} to stay: {after}"


def some_profiles(count: int) -> list[Features]:
    """People of whom every fifth is there twice, the second time with a slip in the given name."""
    random = Random(3)
    letters = "abdefgiklmnoprstuz"
    profiles = []
    for number in range(count):
        family, given = ("".join(random.choices(letters, k=7)) for _ in range(2))
        born = f"{random.randint(1930, 2005)}-{random.randint(1, 12):02}-{random.randint(1, 28):02}"
        profiles.append(party({"family": family, "given": given}, born))
        if number % 5 == 0:
            profiles.append(party({"family": family, "given": f"{given[:3]}{given[4:]}"}, born))
    return profiles
