"""Sums are added and taken back exactly, in any order, and by profile: merges add them up and undos leave no trace."""

import random
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from rapport_scoring.domain.contributions import Contributions, document_contributions
from rapport_scoring.domain.customer import CustomerFacts
from rapport_scoring.domain.figures import CustomerFigures, PurchaseDays, figures_of
from rapport_scoring.domain.ledger.documents import Statement, counting, standing
from rapport_scoring.domain.ledger.names import names_of
from rapport_scoring.domain.state import state_of
from rapport_scoring.domain.sums import DIGEST, Sums, add, total_of
from rapport_shared.contracts.touchpoints.documents import DocumentKey
from tests.unit.scoring.documents import POLICY, PROFILE, day
from tests.unit.scoring.lives import STRANGER, TWIN, customers, documents
from tests.unit.scoring.states import SHIPPED

SUMS = st.dictionaries(st.sampled_from(["a", "b|CNY", "b|EUR", "c"]), st.integers(-(10**30), 10**30), max_size=4)
LATER = day(400)


def contributions(statements: Iterable[Statement]) -> Contributions:
    told = list(statements)
    return document_contributions(counting(standing(told), LATER), told, POLICY, frozenset())


@given(st.lists(SUMS, max_size=6), st.randoms(use_true_random=False))
def test_sums_are_the_same_in_any_order_and_name_nothing_that_is_nothing(
    several: list[Sums], chance: random.Random
) -> None:
    found, shuffled = total_of(several), list(several)
    chance.shuffle(shuffled)
    assert total_of(shuffled) == found
    for name in {name for one in several for name in one}:
        assert found.get(name, 0) == sum(one.get(name, 0) for one in several)
    assert all(found.values())


@given(SUMS, SUMS)
def test_what_is_taken_back_leaves_no_trace(before: Sums, more: Sums) -> None:
    known = total_of([before])
    found = dict(known)
    add(found, more)
    add(found, more, -1)
    assert found == known


@given(documents(), st.randoms(use_true_random=False))
def test_documents_contribute_the_same_in_any_order(statements: list[Statement], chance: random.Random) -> None:
    shuffled = list(statements)
    chance.shuffle(shuffled)
    assert contributions(shuffled) == contributions(statements)


@given(documents(), st.data())
def test_a_document_that_goes_changes_only_its_component(statements: list[Statement], data: st.DataObject) -> None:
    """Taking back what the component contributed and adding what is left of it gives the sums without the document."""
    if not statements:
        return
    gone = data.draw(st.sampled_from(statements))
    touched = next(members for members in components(statements) if gone in members)
    own, left = frozenset([PROFILE]), [told for told in touched if told is not gone]
    kept = total_of([figures_of(contributions(statements), own).ever])
    add(kept, figures_of(contributions(touched), own).ever, -1)
    add(kept, figures_of(contributions(left), own).ever)
    expected = figures_of(contributions(told for told in statements if told is not gone), own).ever
    assert {**kept, DIGEST: 0} == {**expected, DIGEST: 0}


@given(customers())
def test_the_figures_of_a_merged_customer_are_those_of_its_profiles_together(facts: CustomerFacts) -> None:
    together = state_of(facts, SHIPPED, LATER).figures
    one, other = (_alone(facts, profile) for profile in (PROFILE, TWIN))
    assert total_of([one.ever, other.ever]) == together.ever
    assert _days(one, other) == {on: sums for on, sums in together.days.items() if sums}
    days = (*one.bought_on.ordinals, *other.bought_on.ordinals)
    assert PurchaseDays(tuple(sorted(set(days)))) == together.bought_on
    assert {invoice.event_id for invoice in (*one.invoices, *other.invoices)} == {
        invoice.event_id for invoice in together.invoices
    }
    assert len(together.invoices) == len(one.invoices) + len(other.invoices)
    assert together.last_order_at == max(filter(None, (one.last_order_at, other.last_order_at)), default=None)
    first = [found.first_contact_on for found in (one, other) if found.first_contact_on is not None]
    assert together.first_contact_on == min(first, default=None)


def _alone(facts: CustomerFacts, profile: object) -> CustomerFigures:
    """The figures of one profile, by the same facts: all of its documents, and those of others that name the same."""
    own = {
        name: [fact for fact in getattr(facts, name) if fact.profile_id == profile]
        for name in ("contacts", "cases", "answers", "wallets", "asset_events")
    }
    return state_of(replace(facts, profiles=(profile,), **own), SHIPPED, LATER).figures  # type: ignore[arg-type]


def _days(*several: CustomerFigures) -> dict[object, Sums]:
    found: defaultdict[object, Sums] = defaultdict(dict)
    for one in several:
        for on, sums in one.days.items():
            add(found[on], sums)
    return {on: sums for on, sums in found.items() if sums}


def components(statements: Iterable[Statement]) -> list[list[Statement]]:
    """The documents that share a name, directly or by others."""
    found: list[tuple[set[DocumentKey], list[Statement]]] = []
    for told in statements:
        names, joined = set(names_of(told.key, told.data)), [told]
        apart = []
        for known, members in found:
            if known & names:
                names, joined = names | known, [*members, *joined]
            else:
                apart.append((known, members))
        found = [*apart, (names, joined)]
    return [members for _, members in found]


@given(documents())
def test_documents_that_share_no_name_contribute_apart(statements: list[Statement]) -> None:
    apart: Contributions = {}
    for members in components(statements):
        apart |= contributions(members)
    for profile in (PROFILE, TWIN, STRANGER):
        own = frozenset([profile])
        one, other = (figures_of(found, own) for found in (apart, contributions(statements)))
        assert {**one.ever, DIGEST: 0} == {**other.ever, DIGEST: 0}
        assert (one.days, one.invoices, one.bought_on) == (other.days, other.invoices, other.bought_on)


@given(documents())
def test_the_digest_is_the_same_however_documents_are_looked_at(statements: list[Statement]) -> None:
    apart: Contributions = {}
    for members in components(statements):
        apart |= contributions(members)
    own = frozenset([PROFILE, TWIN])
    one, other = (figures_of(found, own).ever for found in (apart, contributions(statements)))
    assert one.get(DIGEST) == other.get(DIGEST)
