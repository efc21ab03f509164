"""Next needs: counted, in one order, up to three."""

import random
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from rapport_scoring.domain.needs.service_due import ServiceInterval, months_later, service_due
from rapport_scoring.domain.needs.suggestions import (
    Need,
    PeerBaskets,
    SuggestionPolicy,
    lift,
    peer_suggestions,
    rival_suggestions,
    service_suggestions,
    suggestions,
)
from tests.unit.scoring.indicators.examples import DAY, RATES, asset_event, day, wallet

POLICY = SuggestionPolicy()
BASKETS = PeerBaskets(
    100,
    {"paper": 60, "ink": 40, "pens": 29, "desks": 30, "chairs": 50},
    1000,
    {"paper": 100, "ink": 200, "pens": 30, "desks": 100, "chairs": 400},
)


def test_peers_buy_it_twice_as_often_and_enough_of_them_do() -> None:
    found = peer_suggestions(BASKETS, {"nothing"}, POLICY)
    assert [each.subject for each in found] == ["paper", "desks", "ink"]
    assert found[2].figures == (
        ("lift", "2.0000"),
        ("peers_who_bought", 40),
        ("peers", 100),
        ("customers_who_bought", 200),
        ("customers", 1000),
    )
    assert [each.subject for each in peer_suggestions(BASKETS, {"paper", "ink"}, POLICY)] == ["desks"]


def test_without_counts_there_is_no_lift() -> None:
    assert lift(PeerBaskets(0, {"a": 50}, 10, {"a": 50}), "a") is None
    assert lift(PeerBaskets(10, {"a": 50}, 10, {}), "a") is None


@given(
    st.dictionaries(st.sampled_from("abcdefgh"), st.tuples(st.integers(0, 100), st.integers(0, 900))),
    st.sets(st.sampled_from("abcdefgh")),
)
def test_what_is_suggested_is_what_a_check_of_each_says(counts: dict[str, tuple[int, int]], own: set[str]) -> None:
    inside = {name: count for name, (count, _) in counts.items()}
    overall = {name: count + others for name, (count, others) in counts.items()}
    found = peer_suggestions(PeerBaskets(100, inside, 1000, overall), own, POLICY)
    expected = {
        name
        for name, count in inside.items()
        if name not in own and count >= 30 and Fraction(count, 100) >= 2 * Fraction(overall[name], 1000)
    }
    assert {each.subject for each in found} == expected
    lifts = [Fraction(inside[each.subject], overall[each.subject]) for each in found]
    assert lifts == sorted(lifts, reverse=True)


def test_a_service_is_due_by_date_or_by_mileage_whichever_is_first() -> None:
    events = [asset_event(-200, "delivered", 0), asset_event(-100, "serviced", 10_000)]
    interval = ServiceInterval(months=12, mileage=15_000)
    due = service_due("car", events, interval, 30)
    assert due is not None
    assert (due.by, due.due_on, due.since, due.last_mileage) == ("mileage", day(50), day(-100), 10_000)
    slow = service_due("car", [events[1]], interval, 30)
    assert slow is not None
    assert (slow.by, slow.due_on) == ("date", months_later(day(-100), 12))


def test_a_mileage_that_is_reached_is_due_at_its_reading() -> None:
    events = [asset_event(-50, "serviced", 0), asset_event(-3, "transferred", 20_000)]
    due = service_due("car", events, ServiceInterval(mileage=15_000), 30)
    assert due is not None
    assert due.due_on == day(-3)


def test_readings_that_do_not_tell_are_not_extrapolated() -> None:
    interval = ServiceInterval(mileage=15_000)
    assert service_due("car", [asset_event(-50, mileage=500)], interval, 30) is None
    assert service_due("car", [asset_event(-50, mileage=500), asset_event(-40, mileage=900)], interval, 30) is None
    assert service_due("car", [asset_event(-90, mileage=500), asset_event(-5, mileage=400)], interval, 30) is None
    assert service_due("car", [asset_event(-90)], interval, 30) is None


@given(
    st.lists(
        st.tuples(
            st.integers(-900, 0),
            st.sampled_from(["delivered", "serviced", "transferred"]),
            st.none() | st.integers(0, 90_000),
        ),
        unique_by=lambda each: each[0],
        max_size=6,
    ),
    st.integers(0, 1000),
)
def test_a_due_day_is_reached_by_the_straight_line_and_not_before(
    drawn: list[tuple[int, str, int | None]], seed: int
) -> None:
    events = [asset_event(offset, happened, mileage) for offset, happened, mileage in drawn]
    shuffled = events + events[:2]
    random.Random(seed).shuffle(shuffled)
    interval = ServiceInterval(mileage=15_000)
    due = service_due("car", shuffled, interval, 30)
    assert due == service_due("car", events, interval, 30)
    readings = sorted((offset, mileage) for offset, _, mileage in drawn if mileage is not None)
    if due is not None and due.due_on > day(readings[-1][0]):
        (start, first), (end, last) = readings[0], readings[-1]
        target = 15_000 + next(mileage for offset, mileage in readings if day(offset) == due.since)

        def expected(on: date) -> Fraction:
            return first + Fraction((last - first) * (on - day(start)).days, end - start)

        assert expected(due.due_on) >= target > expected(due.due_on - timedelta(days=1))


@pytest.mark.parametrize(
    ("start", "months", "expected"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2024, 2, 29), 12, date(2025, 2, 28)),
        (date(2026, 12, 15), 1, date(2027, 1, 15)),
    ],
)
def test_a_month_later_exists(start: date, months: int, expected: date) -> None:
    assert months_later(start, months) == expected


def test_services_are_suggested_from_a_month_ahead_the_earliest_first() -> None:
    events = [
        asset_event(-350, asset="b"),
        asset_event(-400, asset="a"),
        asset_event(-300, asset="c"),
        asset_event(-900, asset="d", type_="yacht"),
    ]
    found = service_suggestions(events, DAY, POLICY)
    assert [each.subject for each in found] == ["a", "b"]
    assert found[0].figures == (("by", "date"), ("days_since_service", 400))


def test_a_service_names_the_model_of_the_asset_as_last_stated_or_its_type() -> None:
    delivered = replace(asset_event(-500, asset="a"), model="Mirage 1.0")
    corrected = replace(asset_event(-400, asset="a"), model="Mirage 1.2")
    untold = asset_event(-401, asset="b")
    found = service_suggestions([corrected, untold, delivered], DAY, POLICY)
    assert [(each.subject, each.name) for each in found] == [("b", "vehicle"), ("a", "Mirage 1.2")]


def test_what_rivals_have_is_ordered_in_one_currency() -> None:
    wallets = [
        wallet("ink", 900, rivals=(("Other", 700),)),
        wallet("paper", 200, "EUR", number=2, rivals=(("Other", 50), ("Third", 50))),
        wallet("pens", 9999, "USD", number=3, rivals=(("Other", 9999),)),
        wallet("desks", 100, number=4),
    ]
    found = rival_suggestions(wallets, RATES, DAY)
    assert [each.subject for each in found] == ["paper", "ink", "pens"]
    assert found[0].figures == (("rivals", 100), ("wallet", 200), ("currency", "EUR"))


def test_each_kind_comes_before_a_second_of_one() -> None:
    peers = peer_suggestions(BASKETS, set(), POLICY)
    services = service_suggestions([asset_event(-400, asset=name) for name in "ab"], DAY, POLICY)
    rivals = rival_suggestions([wallet("ink", 9, rivals=(("Other", 7),))], RATES, DAY)
    assert [each.need for each in suggestions(services, rivals, peers, POLICY)] == [
        Need.SERVICE,
        Need.RIVAL,
        Need.PEERS,
    ]
    assert [each.subject for each in suggestions(services, [], peers, POLICY)] == ["a", "paper", "b"]
    assert [each.subject for each in suggestions([], [], peers, POLICY)] == ["paper", "desks", "ink"]
    assert suggestions([], [], [], POLICY) == ()


@pytest.mark.parametrize(
    "document",
    [
        {"lift": "0"},
        {"peers": 0},
        {"limit": 0},
        {"services": {"car": {}}},
        {"services": {"car": {"months": 0}}},
        {"x": 1},
    ],
)
def test_a_policy_that_suggests_nonsense_is_refused(document: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        SuggestionPolicy.model_validate(document)


def test_a_policy_survives_its_document() -> None:
    assert SuggestionPolicy.model_validate_json(POLICY.model_dump_json()) == POLICY
    assert POLICY.lift == Decimal(2)
