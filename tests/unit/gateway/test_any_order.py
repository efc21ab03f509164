"""The pure reducer: a set of facts folds to the same sections, byte for byte, in whatever order they come."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.view_facts import ViewFacts, sections_of


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32), count=st.integers(1, 80), order=st.randoms(use_true_random=False))
def test_facts_fold_to_the_same_sections_in_any_order_and_doubled(seed: int, count: int, order: random.Random) -> None:
    messages = ViewFacts(seed, profiles=5).happen(count)
    doubled = messages + order.choices(messages, k=len(messages)) if messages else []
    order.shuffle(doubled)
    assert sections_of(doubled) == sections_of(messages)
