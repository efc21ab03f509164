"""Contact indicators: how much is talked on which channel, what is complained of, how fast and well it is served."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from rapport_scoring.domain.decay import decayed
from rapport_scoring.domain.facts import Answer, Case
from rapport_scoring.domain.figures import CustomerFigures, channels
from rapport_scoring.domain.fixed_point import decimal_text
from rapport_scoring.domain.indicators.indicator import Indicator, IndicatorClass, Missing, Sheet, distinct
from rapport_scoring.domain.sums import CASES, DECAY, OPEN_CASES, name_of
from rapport_shared.contracts.ticket import OWN_WORK, TicketKind

MEDIAN_CASES: Final = 100
"""Over how many of the last cases a median is taken."""


class ContactPolicy(BaseModel):
    """How contacts and answers are weighed: `half_life_days` until a contact counts half, the last `answers` asked."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    half_life_days: Annotated[int, Field(ge=1, le=3650)] = 90
    answers: Annotated[int, Field(ge=1, le=1000)] = 20


def contact_indicators(
    figures: CustomerFigures,
    answers: Iterable[Answer],
    cases: Iterable[Case],
    at: datetime,
    on: date,
    policy: ContactPolicy,
) -> tuple[Indicator, ...]:
    """The contact indicators at an instant, which is in the day `on` of the customer's unit.

    `decayed_contacts` by channel, `complaints`, `complaints_open`, `response_seconds`, `resolution_seconds` (medians
    over the last `MEDIAN_CASES` cases that the customer asked for), `satisfaction` by survey (mean of the last
    answers). Answers and cases come in any order, with repeats; all those that are looked at are among them.
    """
    sheet = Sheet(IndicatorClass.CONTACT, on)
    return (
        *_decayed(sheet, figures, policy.half_life_days),
        *_served(sheet, figures, cases, at),
        *_satisfaction(sheet, [one for one in distinct(answers) if one.occurred_at <= at], policy.answers),
    )


def median(values: Iterable[int]) -> int | None:
    """The middle value, or the mean of the middle two, rounded half to even; None of nothing."""
    found = sorted(values)
    if not found:
        return None
    return round(Fraction(found[(len(found) - 1) // 2] + found[len(found) // 2], 2))


def _decayed(sheet: Sheet, figures: CustomerFigures, half_life_days: int) -> Iterator[Indicator]:
    """Each contact counts half after a half-life; its age is in days, as their units count them."""
    for channel in channels(figures):
        value = decayed(figures.ever.get(name_of(DECAY, channel), 0), sheet.on, half_life_days)
        yield sheet.write("decayed_contacts", decimal_text(value), "contacts", channel)


def _served(sheet: Sheet, figures: CustomerFigures, cases: Iterable[Case], at: datetime) -> Iterator[Indicator]:
    yield sheet.write("complaints", figures.ever.get(name_of(CASES, TicketKind.COMPLAINT), 0), "cases")
    yield sheet.write("complaints_open", figures.ever.get(name_of(OPEN_CASES, TicketKind.COMPLAINT), 0), "cases")
    asked = last_asked(cases, at)
    for name, spans in (
        ("response_seconds", [(case, case.responded_at) for case in asked]),
        ("resolution_seconds", [(case, case.resolved_at) for case in asked]),
    ):
        middle = median(max(0, _seconds(end - case.opened_at)) for case, end in spans if end is not None)
        yield sheet.write(name, Missing.NO_CASE if middle is None else middle, "seconds")


def last_asked(cases: Iterable[Case], at: datetime) -> list[Case]:
    """The last cases that the customer asked for, each once, the newest first."""
    known = {case.ticket_id: case for case in cases if case.opened_at <= at and case.kind not in OWN_WORK}
    return sorted(known.values(), key=lambda case: (case.opened_at, case.ticket_id), reverse=True)[:MEDIAN_CASES]


def _satisfaction(sheet: Sheet, answers: Sequence[Answer], last: int) -> Iterator[Indicator]:
    for survey in sorted({answer.survey for answer in answers}):
        counted = last_answers(answers, survey, last)
        mean = Fraction(sum(answer.score for answer in counted), len(counted))
        yield sheet.write("satisfaction", decimal_text(mean, 2), "score", survey)


def last_answers(answers: Iterable[Answer], survey: str, last: int) -> list[Answer]:
    """The last answers to a survey, the oldest first."""
    given = [answer for answer in answers if answer.survey == survey]
    return sorted(given, key=lambda answer: (answer.occurred_at, answer.event_id))[-last:]


def _seconds(span: timedelta) -> int:
    return span // timedelta(seconds=1)
