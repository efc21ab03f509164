"""The commerce section shows what scoring states, and says so where a merge or an undo is newer than the figures."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
from hypothesis import given
from hypothesis import strategies as st

from rapport_gateway.view import commerce, quality, value
from rapport_gateway.view.facts import Fact
from rapport_gateway.view.sections import Place, fold_all, render
from rapport_shared.contracts.money import Amount
from rapport_shared.contracts.scoring import CommerceFigures, ContemporaryValue, ReceivableDue, ScoreUpdated

CUSTOMER = UUID(int=1)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
PROFILES = st.sets(st.integers(2, 6).map(lambda number: UUID(int=number))).map(lambda others: {CUSTOMER, *others})

amounts = st.builds(Amount, amount=st.integers(-(10**9), 10**9), currency=st.sampled_from(["CNY", "EUR"]))
figures = st.builds(
    CommerceFigures,
    orders=st.integers(0, 99),
    returned=st.integers(0, 9),
    revenue=st.lists(amounts, max_size=2),
    last_order_at=st.none() | st.datetimes(timezones=st.just(UTC)),
    receivable_due=st.lists(
        st.builds(ReceivableDue, amount=st.integers(1, 99), currency=st.just("CNY"), due_on=st.dates()), max_size=3
    ),
    waiting=st.integers(0, 3),
)


def score(stated: CommerceFigures | None, profiles: set[UUID], sequence: int = 1) -> Fact:
    data = ScoreUpdated(
        customer_id=CUSTOMER,
        as_of=NOON,
        policy_version=1,
        parameter_version=1,
        profiles=tuple(sorted(profiles)),
        contemporary=ContemporaryValue(lifetime=(), lifetime_parts={}),
        lines=0,
        facts_digest="",
        commerce=stated,
    )
    text = data.model_dump_json()
    return Fact(
        UUID(int=1000 + sequence), "score.updated", str(CUSTOMER), None, NOON, NOON, sequence, orjson.loads(text), text
    )


def shown(name: str, profiles: set[UUID], *facts: Fact) -> Any:
    partials = {(place.profile_id, place.item): state for place, state in fold_all(facts).items()}
    return orjson.loads(render(name, CUSTOMER, sorted(profiles), partials))


@given(figures, PROFILES)
def test_the_section_is_what_scoring_states(stated: CommerceFigures, profiles: set[UUID]) -> None:
    section = shown("commerce", profiles, score(stated, profiles))
    at = section.pop("last_order_at")
    assert (None if at is None else datetime.fromisoformat(at)) == stated.last_order_at
    assert at is None or (len(at), at[-1]) == (27, "Z")
    expected = stated.model_dump(mode="json", exclude={"last_order_at"})
    assert section == {"settling": False, **expected}


@given(figures, PROFILES, st.none() | PROFILES)
def test_figures_of_other_profiles_are_settling(
    stated: CommerceFigures, profiles: set[UUID], scored: set[UUID] | None
) -> None:
    facts = [] if scored is None else [score(stated, scored)]
    expected = profiles != {CUSTOMER} if scored is None else profiles != scored
    assert shown("commerce", profiles, *facts)["settling"] == expected
    worth = shown("value", profiles, *facts)
    assert (worth or {"settling": False})["settling"] == expected
    assert (worth is None) == (scored is None and not expected)


def test_a_score_of_before_the_figures_were_stated_is_settling_until_it_is_stated_again() -> None:
    before, after = score(None, {CUSTOMER}), score(CommerceFigures(orders=2), {CUSTOMER}, sequence=2)
    section = shown("commerce", {CUSTOMER}, before)
    assert (section["settling"], section["orders"]) == (True, 0)
    for facts in ([before, after], [after, before]):
        section = shown("commerce", {CUSTOMER}, *facts)
        assert (section["settling"], section["orders"]) == (False, 2)


def test_documents_that_wait_are_a_gap_of_the_record() -> None:
    nothing: dict[str, Any] = dict.fromkeys(("kind", "display_name", "unit", "owner"))
    identity = nothing | {"fields": {}, "identifiers": [], "registered": True}
    for waiting in (0, 2):
        facts = [score(CommerceFigures(waiting=waiting), {CUSTOMER})]
        section = quality.assess([], [CUSTOMER], identity, shown("commerce", {CUSTOMER}, *facts), [])
        assert ("documents_waiting" in section["gaps"]) == bool(waiting)


def test_one_score_is_one_partial_for_all_sections_that_show_it() -> None:
    assert set(fold_all([score(None, {CUSTOMER})])) == {Place(CUSTOMER, "score", "")}
    assert {commerce.NAME, value.NAME} == {"commerce", "value"}
