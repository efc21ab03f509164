"""Contact indicators: decay that is the same everywhere, medians, and satisfaction by survey."""

import math
import random
import statistics
from datetime import date, timedelta
from fractions import Fraction
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from rapport_scoring.domain.decay import contact_weight, decayed
from rapport_scoring.domain.facts import Answer, Case, Contact
from rapport_scoring.domain.indicators import NUMBERS, ContactPolicy, Indicator, Missing, contact_indicators
from rapport_scoring.domain.indicators.contact import MEDIAN_CASES, median
from tests.unit.scoring.documents import PROFILE
from tests.unit.scoring.indicators.examples import DAY, NOON, case, contact
from tests.unit.scoring.states import state

POLICY = ContactPolicy()


def indicators(
    contacts: list[Contact] | None = None, answers: list[Answer] | None = None, cases: list[Case] | None = None
) -> dict[tuple[str, str | None], Indicator]:
    known = state(contacts=contacts or [], cases=cases or [], answers=answers or [])
    found = contact_indicators(known.figures, known.answers, known.cases, NOON, DAY, POLICY)
    return {(each.name, each.subject): each for each in found}


def answer(number: int, score: int, survey: str = "nps", hours_ago: int = 1) -> Answer:
    return Answer(UUID(int=number), PROFILE, NOON - timedelta(hours=hours_ago), survey, score)


@given(st.integers(0, 20_000), st.integers(1, 3650), st.integers(0, 20_000))
def test_a_weight_is_a_power_of_two(age: int, half_life: int, since: int) -> None:
    made_on = date(2000, 1, 1) + timedelta(days=since)
    counted = decayed(contact_weight(made_on, half_life), made_on + timedelta(days=age), half_life)
    assert math.isclose(counted, 2 ** (-age / half_life), rel_tol=1e-12, abs_tol=1e-300)


@given(st.integers(1, 3650), st.integers(-60, 30))
def test_whole_half_lives_are_exact(half_life: int, times: int) -> None:
    made_on = date(2000, 1, 1) + timedelta(days=half_life * times)
    assert contact_weight(made_on, half_life) == 2 ** (64 + times)


@given(
    st.lists(st.tuples(st.integers(-100, 20_000), st.sampled_from(["phone", "email"])), max_size=20),
    st.integers(0, 1000),
)
def test_contacts_decay_by_channel_in_any_order(drawn: list[tuple[int, str]], seed: int) -> None:
    contacts = [contact(hours, channel, number) for number, (hours, channel) in enumerate(drawn)]
    shuffled = contacts + contacts[:3]
    random.Random(seed).shuffle(shuffled)
    assert indicators(shuffled) == indicators(contacts)
    for channel in ("phone", "email"):
        past = [one.day for one in contacts if one.channel == channel and one.day <= DAY]
        found = indicators(contacts).get(("decayed_contacts", channel))
        assert (found is None) == (not past)
        if found is not None:
            assert found.value is not None
            ages = [(DAY - made_on).days for made_on in past]
            assert abs(float(found.value) - sum(2 ** (-age / 90) for age in ages)) <= 0.0001


def test_a_contact_counts_half_after_its_half_life() -> None:
    assert indicators([contact(0), contact(90 * 24)])["decayed_contacts", "phone"].value == "1.5000"


@given(st.lists(st.integers(-(10**6), 10**6), min_size=1))
def test_the_median_is_that_of_statistics(values: list[int]) -> None:
    assert median(values) == round(Fraction(statistics.median([Fraction(value) for value in values])))


def test_cases_are_counted_and_timed() -> None:
    cases = [
        case(1, "complaint", opened=48, responded=47, closed=44),
        case(2, "complaint", opened=10, responded=7),
        case(3, "repair", opened=10),
        case(4, "complaint", opened=-24),
    ]
    found = indicators(cases=[*cases, cases[0]])
    assert found["complaints", None].value == 2
    assert found["complaints_open", None].value == 1
    assert found["response_seconds", None].value == 2 * 3600
    assert found["resolution_seconds", None].value == 4 * 3600


@given(st.lists(st.tuples(st.integers(1, 1000), st.integers(0, 500)), max_size=250))
def test_medians_are_of_the_last_cases_that_were_asked(drawn: list[tuple[int, int]]) -> None:
    cases = [case(number, opened=opened, responded=opened - took) for number, (opened, took) in enumerate(drawn)]
    newest = sorted(cases, key=lambda one: (one.opened_at, one.ticket_id))[-MEDIAN_CASES:]
    taken = [(one.responded_at - one.opened_at) // timedelta(seconds=1) for one in newest if one.responded_at]
    expected = round(Fraction(statistics.median([Fraction(seconds) for seconds in taken]))) if taken else None
    assert indicators(cases=cases)["response_seconds", None].value == expected


def test_nothing_timed_is_unknown() -> None:
    found = indicators(cases=[case(1)])
    assert found["response_seconds", None].missing is Missing.NO_CASE
    assert found["complaints", None].value == 0


def test_an_answer_that_precedes_its_question_took_no_time() -> None:
    assert indicators(cases=[case(1, opened=10, responded=12)])["response_seconds", None].value == 0


@given(st.lists(st.tuples(st.integers(0, 10), st.sampled_from(["nps", "csat"]), st.integers(0, 50))))
def test_satisfaction_is_the_mean_of_the_last_answers(drawn: list[tuple[int, str, int]]) -> None:
    answers = [answer(number, score, survey, ago) for number, (score, survey, ago) in enumerate(drawn)]
    for survey in ("nps", "csat"):
        own = sorted(
            (each for each in answers if each.survey == survey), key=lambda each: (each.occurred_at, each.event_id)
        )
        found = indicators(answers=answers).get(("satisfaction", survey))
        assert (found is None) == (not own)
        if found is not None:
            expected = statistics.mean([Fraction(each.score) for each in own[-20:]])
            assert abs(Fraction(str(found.value)) - expected) <= Fraction(1, 200)


def test_all_of_them_are_numbers() -> None:
    assert {name for name, _ in indicators([contact(1)], [answer(1, 5)], [case(1)])} <= NUMBERS
