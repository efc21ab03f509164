"""Reports and their retractions in any order, each any number of times, leave what the reports that count state."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from rapport_customer.domain.profiles import (
    Statement,
    provisional,
    with_edit,
    with_report,
    with_stated_relations,
    without_report,
)
from rapport_shared.contracts.customer import ProfileState

BEGUN = datetime(2026, 3, 1, tzinfo=UTC)
FIELDS = st.dictionaries(st.sampled_from(["name", "language", "region"]), st.sampled_from(["a", "b"]), max_size=3)
RELATED = st.lists(st.sampled_from(["C-1", "C-2", "C-3"]), max_size=3, unique=True)
REPORTS = st.lists(
    st.tuples(st.sampled_from(["erp", "shop"]), st.integers(0, 3), FIELDS, RELATED), min_size=1, max_size=6
)


def statement(number: int, system: str, day: int, fields: dict[str, str], related: Sequence[str] = ()) -> Statement:
    said = Statement(system, "C-1", fields, None, BEGUN + timedelta(days=day), UUID(int=number))
    relations = [{"type": "employee_of", "to": {"system": "erp", "record": record}} for record in related]
    return with_stated_relations(said, relations)


class Register:
    """A profile's register as the consumer of touches keeps it, the tables being sets."""

    def __init__(self) -> None:
        self.state = provisional(UUID(int=0), BEGUN)
        self.reports: dict[UUID, Statement] = {}
        self.retracted: set[UUID] = set()

    def report(self, said: Statement) -> None:
        if said.event_id not in self.retracted:
            self.reports[said.event_id] = said
            self.state = with_report(self.state, said)

    def retract(self, event_id: UUID) -> None:
        self.retracted.add(event_id)
        self.reports.pop(event_id, None)
        self.state = without_report(self.state, event_id)
        for said in self.reports.values():
            self.state = with_report(self.state, said)


def shown(state: ProfileState) -> object:
    return state.sources, state.fields, state.relations


@given(REPORTS, st.data())
def test_what_is_left_is_what_the_reports_that_count_state(
    drawn: list[tuple[str, int, dict[str, str], list[str]]], data: st.DataObject
) -> None:
    reports = [statement(number, *report) for number, report in enumerate(drawn, 1)]
    retracted = data.draw(st.sets(st.sampled_from([said.event_id for said in reports])))
    happened: list[Statement | UUID] = [*reports, *retracted]
    order = data.draw(st.permutations(happened + data.draw(st.lists(st.sampled_from(happened), max_size=4))))
    register, expected = Register(), Register()
    for happening in order:
        if isinstance(happening, UUID):
            register.retract(happening)
        else:
            register.report(happening)
    for said in reports:
        if said.event_id not in retracted:
            expected.report(said)
    assert shown(register.state) == shown(expected.state)


def test_an_edit_by_hand_outlives_the_report_that_it_corrected() -> None:
    said = statement(1, "erp", 0, {"name": "a"})
    by_hand = Statement("manual", None, {"name": "b"}, (), BEGUN, UUID(int=2), manual=True)
    state = with_edit(with_report(provisional(UUID(int=0), BEGUN), said), by_hand)
    left = without_report(state, said.event_id)
    assert [candidate.value for candidate in left.fields["name"]] == ["b"]
    assert left.sources == ()
