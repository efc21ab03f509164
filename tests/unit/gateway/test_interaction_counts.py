"""An interaction counts once while one of its entries stands, whichever was retracted, and whatever came first."""

import random
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from rapport_gateway.view.facts import Fact
from rapport_gateway.view.interactions import fold, opened_anew, render
from tests.support.interaction_service import NOON

PROFILE = UUID(int=1)


def entry(interaction: int, sequence: int) -> Fact:
    data = {
        "interaction_id": str(UUID(int=interaction)),
        "kind": "call.ended",
        "channel": "phone",
        "touchpoint": {"data": {}},
    }
    event_id = UUID(int=interaction * 100 + sequence)
    return Fact(event_id, "interaction.recorded", "", PROFILE, NOON, NOON, sequence, data, "")


@settings(max_examples=100, deadline=None)
@given(
    st.dictionaries(st.integers(1, 5), st.lists(st.booleans(), min_size=1, max_size=5), min_size=1),
    st.randoms(use_true_random=False),
)
def test_an_interaction_with_a_standing_entry_counts_once(stands: dict[int, list[bool]], order: random.Random) -> None:
    standing = [
        entry(interaction, sequence)
        for interaction, entries in stands.items()
        for sequence, counts in enumerate(entries, 1)
        if counts
    ]
    mended = {str(UUID(int=interaction)) for interaction, entries in stands.items() if not all(entries)}
    order.shuffle(standing)
    state = None
    for fact in opened_anew(standing, mended):
        state = fold(state, fact, "")
    section = render(PROFILE, [PROFILE], {(PROFILE, ""): state} if state else {})
    assert section["count"] == sum(any(entries) for entries in stands.values())
