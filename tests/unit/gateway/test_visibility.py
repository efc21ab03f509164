"""Who may know of which customers: isolated units see their own, and are seen by nobody else but the whole firm."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport_gateway.access.visibility import franchise, sees

ISOLATED = ("shops/ulm", "shops/ulm/west")
UNITS = st.sampled_from(["shops", "shops/ulm", "shops/ulm/west", "shops/ulmen", "cars", "cars/ulm"])


@pytest.mark.parametrize(
    ("unit", "units", "may"),
    [
        ("shops/bonn", ["shops/bonn"], True),
        ("shops/bonn", ["cars"], True),
        ("shops/bonn", [], True),
        ("shops/bonn", ["shops/ulm"], False),
        ("shops", ["shops/ulm/west"], False),
        ("shops/ulm", ["shops/ulm/west"], True),
        ("shops/ulm/west", ["shops/ulm"], True),
        ("shops/ulm", ["shops/bonn"], False),
        ("shops/ulm", [], False),
        ("shops/ulmen", ["shops/ulm"], False),
    ],
)
def test_a_caller_sees_the_customers_of_its_own_franchise(unit: str, units: list[str], may: bool) -> None:
    assert sees(unit, units, ISOLATED) is may


@given(UNITS, st.lists(UNITS))
def test_where_nothing_is_isolated_everybody_sees_everybody(unit: str, units: list[str]) -> None:
    assert sees(unit, units, ())


@given(UNITS, UNITS)
def test_seeing_is_mutual(one: str, other: str) -> None:
    assert sees(one, [other], ISOLATED) == sees(other, [one], ISOLATED)


def test_of_isolated_units_in_each_other_the_outermost_counts() -> None:
    assert franchise("shops/ulm/west/a", ISOLATED) == "shops/ulm"
