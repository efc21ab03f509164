"""Contact indicators: how much is talked on which channel, what is complained of, how fast and well it is served."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from rapport_scoring.domain.facts import Answer, Case, Contact
from rapport_scoring.domain.fixed_point import decimal_text
from rapport_scoring.domain.indicators.indicator import (
    Evidence,
    Indicator,
    IndicatorClass,
    Missing,
    Sheet,
    distinct,
    newest_first,
)
from rapport_shared.contracts.ticket import OWN_WORK, TicketKind

_WEIGHT_DIGITS: Final = 12
_EXACT: Final = Context(prec=30, rounding=ROUND_HALF_EVEN)


class ContactPolicy(BaseModel):
    """How contacts and answers are weighed: `half_life_days` until a contact counts half, the last `answers` asked."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    half_life_days: Annotated[int, Field(ge=1, le=3650)] = 90
    answers: Annotated[int, Field(ge=1, le=1000)] = 20


def contact_indicators(
    contacts: Iterable[Contact],
    answers: Iterable[Answer],
    cases: Iterable[Case],
    at: datetime,
    on: date,
    policy: ContactPolicy,
) -> tuple[Indicator, ...]:
    """The contact indicators at an instant, which is in the day `on` of the customer's unit.

    `decayed_contacts` by channel, `complaints`, `complaints_open`, `response_seconds`, `resolution_seconds` (medians
    over cases that customers asked for), `satisfaction` by survey (mean of the last answers). Facts come in any
    order, with repeats.
    """
    sheet = Sheet(IndicatorClass.CONTACT, on)
    return (
        *_decayed(sheet, [each for each in distinct(contacts) if each.occurred_at <= at], at, policy.half_life_days),
        *_served(sheet, [each for each in _one_each(cases) if each.opened_at <= at]),
        *_satisfaction(sheet, [each for each in distinct(answers) if each.occurred_at <= at], policy.answers),
    )


@lru_cache(maxsize=16_384)
def decayed_weight(age_days: int, half_life_days: int) -> int:
    """2^(−age ÷ half-life) in units of 10⁻¹², rounded half to even.

    Whole half-lives are exact, the rest is decimal `exp` of 30 digits, whose rounding is specified (IBM's General
    Decimal Arithmetic): the same integer on every machine.
    """
    halvings, rest = divmod(age_days, half_life_days)
    exponent = _EXACT.divide(_EXACT.multiply(_EXACT.ln(Decimal(2)), Decimal(-rest)), Decimal(half_life_days))
    return round(Fraction(_EXACT.exp(exponent)) * 10**_WEIGHT_DIGITS / (1 << halvings))


def median(values: Iterable[int]) -> int | None:
    """The middle value, or the mean of the middle two, rounded half to even; None of nothing."""
    found = sorted(values)
    if not found:
        return None
    return round(Fraction(found[(len(found) - 1) // 2] + found[len(found) // 2], 2))


def _decayed(sheet: Sheet, contacts: Sequence[Contact], at: datetime, half_life_days: int) -> Iterator[Indicator]:
    """An age is in whole periods of 24 hours, so that the figure changes once a day for each contact."""
    by_channel: defaultdict[str, list[Contact]] = defaultdict(list)
    for contact in contacts:
        by_channel[contact.channel].append(contact)
    for channel, found in sorted(by_channel.items()):
        total = sum(decayed_weight((at - each.occurred_at).days, half_life_days) for each in found)
        evidence = newest_first((each.occurred_at, each.event_id) for each in found)
        value = decimal_text(Fraction(total, 10**_WEIGHT_DIGITS))
        yield sheet.write("decayed_contacts", value, "contacts", evidence, channel)


def _served(sheet: Sheet, cases: Sequence[Case]) -> Iterator[Indicator]:
    complaints = [case for case in cases if case.kind == TicketKind.COMPLAINT]
    still = [case for case in complaints if case.open]
    asked = [case for case in cases if case.kind not in OWN_WORK]
    yield sheet.write("complaints", len(complaints), "cases", _evidence(complaints))
    yield sheet.write("complaints_open", len(still), "cases", _evidence(still))
    for name, spans in (
        ("response_seconds", [(case, case.responded_at) for case in asked]),
        ("resolution_seconds", [(case, case.resolved_at) for case in asked]),
    ):
        ended = [(case, max(0, _seconds(end - case.opened_at))) for case, end in spans if end is not None]
        middle = median(seconds for _, seconds in ended)
        evidence = _evidence(case for case, _ in ended)
        yield sheet.write(name, Missing.NO_CASE if middle is None else middle, "seconds", evidence)


def _satisfaction(sheet: Sheet, answers: Sequence[Answer], last: int) -> Iterator[Indicator]:
    for survey in sorted({answer.survey for answer in answers}):
        given = sorted((each.occurred_at, each.event_id, each.score) for each in answers if each.survey == survey)
        counted = given[-last:]
        mean = Fraction(sum(score for *_, score in counted), len(counted))
        evidence = newest_first((at, event) for at, event, _ in counted)
        yield sheet.write("satisfaction", decimal_text(mean, 2), "score", evidence, survey)


def _one_each(cases: Iterable[Case]) -> list[Case]:
    return sorted({case.ticket_id: case for case in cases}.values(), key=lambda case: case.ticket_id)


def _seconds(span: timedelta) -> int:
    return span // timedelta(seconds=1)


def _evidence(cases: Iterable[Case]) -> Evidence:
    return newest_first((case.opened_at, case.event_id) for case in cases)
