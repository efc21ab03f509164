"""An interaction counts once while one of its entries stands, whichever was retracted."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from rapport_gateway.view.interactions import Entry, opened_by

entries = st.dictionaries(
    st.integers(1, 6), st.tuples(st.sampled_from(["phone", "chat"]), st.booleans()), min_size=1, max_size=5
)


def entry(sequence: int, channel: str, kind: str = "call.ended") -> Entry:
    return Entry(UUID(int=sequence), sequence, kind, channel)


@given(entries)
def test_the_first_entry_that_stands_opens_an_interaction_in_which_one_ended(
    known: dict[int, tuple[str, bool]],
) -> None:
    standing = {sequence: channel for sequence, (channel, stands) in known.items() if stands}
    counted = opened_by([entry(sequence, channel) for sequence, channel in standing.items()], mended=True)
    assert counted == ({standing[min(standing)]: 1} if standing else {})


@given(entries)
def test_the_entry_with_the_first_sequence_opens_any_other(known: dict[int, tuple[str, bool]]) -> None:
    counted = opened_by([entry(sequence, channel) for sequence, (channel, _) in known.items()], mended=False)
    assert counted == ({known[1][0]: 1} if 1 in known else {})


def test_what_is_no_contact_opens_no_interaction_that_counts() -> None:
    assert not opened_by([entry(1, "survey", "survey.answered"), entry(2, "phone")], mended=True)
