"""Contact indicators: decay that is the same everywhere, medians, and satisfaction by survey."""

import math
import random
import statistics
from datetime import timedelta
from fractions import Fraction
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from rapport_scoring.domain.facts import Answer, Case, Contact
from rapport_scoring.domain.indicators import NUMBERS, ContactPolicy, Indicator, Missing, contact_indicators
from rapport_scoring.domain.indicators.contact import decayed_weight, median
from tests.unit.scoring.indicators.examples import DAY, NOON, PROFILE, case, contact

POLICY = ContactPolicy()


def figures(
    contacts: list[Contact] | None = None, answers: list[Answer] | None = None, cases: list[Case] | None = None
) -> dict[tuple[str, str | None], Indicator]:
    found = contact_indicators(contacts or [], answers or [], cases or [], NOON, DAY, POLICY)
    return {(each.name, each.subject): each for each in found}


def answer(number: int, score: int, survey: str = "nps", hours_ago: int = 1) -> Answer:
    return Answer(UUID(int=number), PROFILE, NOON - timedelta(hours=hours_ago), survey, score)


@given(st.integers(0, 20_000), st.integers(1, 3650))
def test_a_weight_is_a_power_of_two(age: int, half_life: int) -> None:
    assert math.isclose(decayed_weight(age, half_life) / 10**12, 2 ** (-age / half_life), abs_tol=1e-12)


@given(st.integers(1, 3650), st.integers(0, 30))
def test_whole_half_lives_are_exact(half_life: int, times: int) -> None:
    assert decayed_weight(half_life * times, half_life) == round(Fraction(10**12, 2**times))


@given(
    st.lists(st.tuples(st.integers(-100, 20_000), st.sampled_from(["phone", "email"])), max_size=20),
    st.integers(0, 1000),
)
def test_contacts_decay_by_channel_in_any_order(drawn: list[tuple[int, str]], seed: int) -> None:
    contacts = [contact(hours, channel, number) for number, (hours, channel) in enumerate(drawn)]
    shuffled = contacts + contacts[:3]
    random.Random(seed).shuffle(shuffled)
    assert figures(shuffled) == figures(contacts)
    for channel in ("phone", "email"):
        past = [hours for hours, on in drawn if on == channel and hours >= 0]
        found = figures(contacts).get(("decayed_contacts", channel))
        assert (found is None) == (not past)
        if found is not None:
            assert found.value is not None
            assert abs(float(found.value) - sum(2 ** (-(hours // 24) / 90) for hours in past)) <= 0.0001
            assert found.event_count == len(past)


def test_a_contact_counts_half_after_its_half_life() -> None:
    assert figures([contact(0), contact(90 * 24)])["decayed_contacts", "phone"].value == "1.5000"


@given(st.lists(st.integers(-(10**6), 10**6), min_size=1))
def test_the_median_is_that_of_statistics(values: list[int]) -> None:
    assert median(values) == round(Fraction(statistics.median([Fraction(value) for value in values])))


def test_cases_are_counted_and_timed() -> None:
    cases = [
        case(1, "complaint", opened=48, responded=47, closed=44),
        case(2, "complaint", opened=10, responded=7),
        case(3, "repair", opened=10),
        case(4, "complaint", opened=-1),
    ]
    found = figures(cases=[*cases, cases[0]])
    assert found["complaints", None].value == 2
    assert found["complaints_open", None].value == 1
    assert found["response_seconds", None].value == 2 * 3600
    assert found["resolution_seconds", None].value == 4 * 3600


def test_nothing_timed_is_unknown() -> None:
    found = figures(cases=[case(1)])
    assert found["response_seconds", None].missing is Missing.NO_CASE
    assert found["complaints", None].value == 0


def test_an_answer_that_precedes_its_question_took_no_time() -> None:
    assert figures(cases=[case(1, opened=10, responded=12)])["response_seconds", None].value == 0


@given(st.lists(st.tuples(st.integers(0, 10), st.sampled_from(["nps", "csat"]), st.integers(0, 50))))
def test_satisfaction_is_the_mean_of_the_last_answers(drawn: list[tuple[int, str, int]]) -> None:
    answers = [answer(number, score, survey, ago) for number, (score, survey, ago) in enumerate(drawn)]
    for survey in ("nps", "csat"):
        own = sorted(
            (each for each in answers if each.survey == survey), key=lambda each: (each.occurred_at, each.event_id)
        )
        found = figures(answers=answers).get(("satisfaction", survey))
        assert (found is None) == (not own)
        if found is not None:
            expected = statistics.mean([Fraction(each.score) for each in own[-20:]])
            assert abs(Fraction(str(found.value)) - expected) <= Fraction(1, 200)


def test_all_of_them_are_numbers() -> None:
    assert {name for name, _ in figures([contact(1)], [answer(1, 5)], [case(1)])} <= NUMBERS
