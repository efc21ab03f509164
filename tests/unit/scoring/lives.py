"""Strategies that draw customers of several profiles: documents of all kinds, contacts, cases, answers, wallets."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from hypothesis import strategies as st

from rapport_scoring.domain.customer import CustomerFacts
from rapport_scoring.domain.facts import Answer, AssetEvent, Attribute, Case, Contact, WalletStatement
from rapport_scoring.domain.ledger.documents import Statement
from rapport_shared.contracts.ids import derived_id
from rapport_shared.contracts.touchpoints.fields import Money
from tests.unit.scoring.documents import PROFILE, START, day
from tests.unit.scoring.states import known
from tests.unit.scoring.test_scoring_properties import orders, others

TWIN = UUID("00000000-0000-5000-8000-000000000002")
STRANGER = UUID("00000000-0000-5000-8000-000000000003")
OWN = st.sampled_from([PROFILE, TWIN])
OFFSETS = st.integers(-500, 25)
CATEGORIES, CURRENCIES = st.sampled_from(["ink", "paper"]), st.sampled_from(["CNY", "EUR", "USD"])


@st.composite
def documents(draw: st.DrawFn) -> list[Statement]:
    """Documents of three profiles, some of one number, over more than a year; some of their days are stated."""
    found = []
    for told in draw(st.lists(orders() | others(), max_size=14)):
        profile, moved = draw(st.sampled_from([PROFILE, PROFILE, TWIN, STRANGER])), draw(st.none() | OFFSETS)
        on = told.day if moved is None else day(moved)
        found.append(replace(told, event_id=derived_id(told.event_id, profile), profile_id=profile, day=on))
    return found


@st.composite
def contacts(draw: st.DrawFn, number: int) -> Contact:
    offset, channel = draw(OFFSETS), draw(st.sampled_from(["phone", "email"]))
    at = START + timedelta(days=offset, hours=draw(st.integers(0, 20)))
    cost = draw(st.none() | st.builds(Money, amount=st.integers(0, 500), currency=st.just("EUR")))
    event_id, seconds = derived_id("contact", number), draw(st.integers(0, 9_000))
    return Contact(event_id, draw(OWN), at, day(offset), "call.ended", channel, "inbound", seconds, cost)


@st.composite
def cases(draw: st.DrawFn, number: int) -> Case:
    at, took = START + timedelta(days=draw(OFFSETS)), st.none() | st.integers(-5, 5_000)
    responded, resolved = (None if (of := draw(took)) is None else at + timedelta(seconds=of) for _ in range(2))
    kind, own = draw(st.sampled_from(["complaint", "repair", "task"])), derived_id("case", number)
    state = "open" if resolved is None else "closed"
    return Case(own, derived_id(own, 1), draw(OWN), kind, state, resolved is None, at, responded, resolved)


@st.composite
def answers(draw: st.DrawFn, number: int) -> Answer:
    at = START + timedelta(days=draw(OFFSETS))
    survey, score = draw(st.sampled_from(["nps", "csat"])), draw(st.integers(0, 10))
    return Answer(derived_id("answer", number), draw(OWN), at, survey, score)


@st.composite
def wallets(draw: st.DrawFn, number: int) -> WalletStatement:
    since, until = draw(OFFSETS), draw(st.none() | OFFSETS)
    return WalletStatement(
        derived_id("wallet", number),
        draw(OWN),
        START + timedelta(days=since),
        draw(CATEGORIES),
        day(since),
        None if until is None else day(until),
        draw(st.integers(0, 50_000)),
        draw(CURRENCIES),
        draw(st.sampled_from(["declared", "estimated"])),
        draw(st.booleans()),
    )


@st.composite
def works(draw: st.DrawFn, number: int) -> AssetEvent:
    offset, event_id = draw(OFFSETS), derived_id("work", number)
    cost = draw(st.none() | st.builds(Money, amount=st.integers(0, 900), currency=st.just("CNY")))
    at = START + timedelta(days=offset)
    return AssetEvent(event_id, draw(OWN), at, "VIN-1", "serviced", None, None, None, day(offset), cost)


@st.composite
def customers(draw: st.DrawFn) -> CustomerFacts:
    """A customer of two profiles; a third one's documents name its, and some of the events are history."""
    statements = draw(documents())
    events = [told.event_id for told in statements]
    stated = {"industry": Attribute("mining", START, derived_id("industry"))} if draw(st.booleans()) else {}
    return known(
        statements,
        profiles=(PROFILE, TWIN),
        contacts=[draw(contacts(number)) for number in range(draw(st.integers(0, 4)))],
        cases=[draw(cases(number)) for number in range(draw(st.integers(0, 4)))],
        answers=[draw(answers(number)) for number in range(draw(st.integers(0, 4)))],
        wallets=[draw(wallets(number)) for number in range(draw(st.integers(0, 3)))],
        asset_events=[draw(works(number)) for number in range(draw(st.integers(0, 2)))],
        attributes=stated,
        history=frozenset(draw(st.sets(st.sampled_from(events)))) if events else frozenset(),
    )
