"""Whose a document is follows from all that is said of it, in whatever order, by a rule that an oracle walks slowly."""

from datetime import UTC, datetime, timedelta
from itertools import permutations
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rapport_interaction.domain.documents import Owner, Statement, by_document, owner, stated
from rapport_shared.contracts.touchpoints import DOCUMENT_KINDS, document_key, documents_named, parse_touchpoint
from rapport_shared.contracts.touchpoints.examples import EXAMPLES

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LEVELS = ("refund", "payment", "invoice", "order")
"""Each level names documents of the later ones alone, as the families do."""
PROFILES = [UUID(int=number) for number in range(1, 4)]


@st.composite
def statements(draw: st.DrawFn) -> list[Statement]:
    made = []
    for number in range(draw(st.integers(0, 8))):
        level = draw(st.integers(0, len(LEVELS) - 1))
        document = f"{LEVELS[level]}:{draw(st.integers(1, 2))}"
        profile = draw(st.one_of(st.none(), st.sampled_from(PROFILES)))
        later = [f"{name}:{one}" for name in LEVELS[level + 1 :] for one in (1, 2)]
        names = draw(st.lists(st.sampled_from(later), max_size=3)) if later and profile is None else []
        at = NOON + timedelta(days=draw(st.integers(0, 2)))
        made.append(Statement(document, UUID(int=100 + number), draw(st.integers(1, 2)), at, profile, tuple(names)))
    return made


def slow_owner(document: str, said: list[Statement]) -> Owner | None:
    """Walks every chain of names, depth first, and compares all pairs."""
    about = [one for one in said if one.document == document]
    rank = {one.touchpoint_id: (one.revision, one.occurred_at, one.touchpoint_id) for one in about}
    itself = [one for one in about if one.profile_id is not None]
    for one in itself:
        if one.profile_id and all(rank[one.touchpoint_id] >= rank[other.touchpoint_id] for other in itself):
            return Owner(one.profile_id, document)
    for one in sorted(about, key=lambda one: rank[one.touchpoint_id])[::-1]:
        for name in one.names:
            found = slow_owner(name, said)
            if found is not None:
                return found
    return None


@given(statements(), st.randoms())
@settings(max_examples=300)
def test_the_owner_is_what_the_oracle_finds_in_any_order_and_doubled(said: list[Statement], random: object) -> None:
    shuffled = [*said, *said]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    for document in {one.document for one in said} | {name for one in said for name in one.names}:
        assert owner(document, by_document(shuffled)) == slow_owner(document, said)


def test_a_payment_is_of_the_customer_of_its_order_through_its_invoice() -> None:
    order = Statement("order:1", UUID(int=1), 1, NOON, PROFILES[0])
    invoice = Statement("invoice:1", UUID(int=2), 1, NOON, None, ("order:1",))
    payment = Statement("payment:1", UUID(int=3), 1, NOON, None, ("invoice:1",))
    for said in permutations((order, invoice, payment)):
        assert owner("payment:1", by_document(said)) == Owner(PROFILES[0], "order:1")


@pytest.mark.parametrize("kind", sorted(DOCUMENT_KINDS))
def test_no_document_names_its_own_family_and_no_chain_leads_back(kind: str) -> None:
    touchpoint = parse_touchpoint(EXAMPLES[kind], strict=True)
    family = document_key(touchpoint).family  # type: ignore[arg-type]
    assert family not in {key.family for key in documents_named(touchpoint)}  # type: ignore[arg-type]
    statement = stated(touchpoint, NOON, None)
    assert statement is not None
    assert statement.document not in statement.names
    with_profile = stated(touchpoint, NOON, PROFILES[0])
    assert with_profile is not None
    assert with_profile.names == (), "who says itself whose it is needs no other"
