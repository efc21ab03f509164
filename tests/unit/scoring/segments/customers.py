"""Policies, customers and changes of customers, as hypothesis draws them."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st
from pydantic import ValidationError

from rapport_scoring.domain.segments import (
    AnswerGiven,
    ContactMade,
    CustomerReadings,
    PurchaseMade,
    SegmentPolicy,
    TicketOpened,
)

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
TIERS = ("gold", "silver", "bronze")
UNITS = ("cn", "cn/east", "cn/east/shanghai", "cn/eastern", "de")
NUMBERS = st.integers(-2, 6)
LENGTHS = st.sampled_from(["1 minute", "3 minutes", "10 minutes", "1 hour"])


def policy(when: Mapping[str, Any]) -> SegmentPolicy:
    return SegmentPolicy.model_validate({"when": when})


def _bounds(numbers: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    names = st.sampled_from(["at_least", "at_most", "more_than", "less_than"])
    between = st.tuples(numbers, numbers).map(lambda pair: {"between": sorted(pair)})
    return st.dictionaries(names, numbers, min_size=1, max_size=2) | between


PRESENCE = st.sampled_from([{"exists": True}, {"missing": True}])
NUMERIC = st.sampled_from(["value:total", "value:model", "indicator:orders", "tickets:open"])
EQUAL = st.fixed_dictionaries({"is": NUMBERS}) | st.fixed_dictionaries({"in": st.lists(NUMBERS, min_size=1)})
WHERE = {
    "contacts": {"channel": ["phone", "email"], "direction": ["inbound", "outbound"], "kind": ["call.ended"]},
    "purchases": {"categories": ["tyres", "oil"]},
    "answers": {"survey": ["nps", "csat"]},
    "tickets": {"kind": ["complaint", "repair"]},
}


@st.composite
def wheres(draw: st.DrawFn, stream: str) -> dict[str, list[str]]:
    names = draw(st.lists(st.sampled_from(sorted(WHERE[stream])), unique=True, max_size=2))
    return {name: draw(st.lists(st.sampled_from(WHERE[stream][name]), min_size=1, unique=True)) for name in names}


@st.composite
def windows(draw: st.DrawFn) -> dict[str, Any]:
    figures = ["contacts", "purchases", "answers", "tickets", "purchases.revenue", "contacts.seconds", "answers.score"]
    figure = draw(st.sampled_from(figures))
    stream, _, field = figure.partition(".")
    operation = "count" if not field else draw(st.sampled_from(["min", "max"])) if field == "score" else "sum"
    within = draw(st.fixed_dictionaries({}, optional={"within": LENGTHS}))
    return {operation: figure, "where": draw(wheres(stream)), **within, **draw(_bounds(NUMBERS))}


@st.composite
def absences(draw: st.DrawFn) -> dict[str, Any]:
    stream = draw(st.sampled_from(sorted(WHERE)))
    among = draw(st.sampled_from(["everybody", "as_long", "ever"]))
    return {"absent": stream, "for": draw(LENGTHS), "where": draw(wheres(stream)), "among": among}


READ = st.one_of(
    st.builds(lambda name, asked: {"reading": name, **asked}, NUMERIC, _bounds(NUMBERS) | EQUAL | PRESENCE),
    st.fixed_dictionaries({"reading": st.just("tier"), "in": st.lists(st.sampled_from(TIERS), min_size=1)}),
    st.fixed_dictionaries({"reading": st.just("attribute:unit"), "under": st.sampled_from(UNITS)}),
    st.fixed_dictionaries({"reading": st.just("alarm:silence"), "is": st.booleans()}),
)
AGES = st.builds(
    lambda name, asked: {"age": name, **asked},
    st.sampled_from(["customer", "stage"]),
    st.dictionaries(st.sampled_from(["at_least", "less_than"]), LENGTHS, min_size=1) | PRESENCE,
)
LEAVES = READ | windows() | absences() | AGES
CONDITIONS = st.recursive(
    LEAVES,
    lambda parts: st.one_of(
        st.fixed_dictionaries({"all": st.lists(parts, min_size=1, max_size=3)}),
        st.fixed_dictionaries({"any": st.lists(parts, min_size=1, max_size=3)}),
        st.fixed_dictionaries({"not": parts}),
    ),
    max_leaves=6,
)


def _accepted(when: dict[str, Any]) -> SegmentPolicy | None:
    """The policy; None where it is refused, for it says nothing."""
    try:
        return policy(when)
    except ValidationError:
        return None


POLICIES = CONDITIONS.map(_accepted).filter(lambda made: made is not None)
SEGMENTS = st.lists(POLICIES, min_size=1, max_size=6).map(lambda made: {f"s{n}": one for n, one in enumerate(made)})

STEP = timedelta(seconds=20)
"""Whatever happens, happens at a multiple of it from noon."""

INSTANTS = st.integers(-210, 60).map(lambda steps: NOON + steps * STEP)
"""Some lie ahead."""
FACTS: Mapping[str, st.SearchStrategy[Any]] = {
    "contacts": st.builds(
        ContactMade,
        INSTANTS,
        st.sampled_from(["phone", "email"]),
        st.sampled_from(["call.ended", "email.sent"]),
        st.sampled_from([None, "inbound", "outbound"]),
        st.integers(0, 4),
    ),
    "purchases": st.builds(
        PurchaseMade, INSTANTS, st.none() | NUMBERS, st.frozensets(st.sampled_from(["tyres", "oil", "glass"]))
    ),
    "answers": st.builds(AnswerGiven, INSTANTS, st.sampled_from(["nps", "csat"]), NUMBERS),
    "tickets": st.builds(TicketOpened, INSTANTS, st.sampled_from(["complaint", "repair"])),
}
STATED: Mapping[str, st.SearchStrategy[Any]] = {
    "value:total": NUMBERS,
    "value:model": st.none() | NUMBERS | st.just(float("nan")),
    "indicator:orders": NUMBERS,
    "tickets:open": st.integers(0, 4),
    "tier": st.sampled_from(TIERS),
    "attribute:unit": st.sampled_from(UNITS),
    "alarm:silence": st.booleans(),
}
CUSTOMERS = st.builds(
    CustomerReadings,
    st.fixed_dictionaries({}, optional=dict(STATED)),
    st.fixed_dictionaries({}, optional={"customer": INSTANTS, "stage": INSTANTS}),
    *(st.lists(FACTS[stream], max_size=4) for stream in ("contacts", "purchases", "answers", "tickets")),
)


@st.composite
def changed(draw: st.DrawFn, customer: CustomerReadings) -> CustomerReadings:
    """The customer after one more fact, one less, or one reading changed."""
    what = draw(st.sampled_from([*FACTS, "values", "since", "nothing"]))
    if what == "nothing":
        return customer
    if what == "values":
        name = draw(st.sampled_from(sorted(STATED)))
        return replace(customer, values={**customer.values, name: draw(st.none() | STATED[name])})
    if what == "since":
        return replace(customer, since={**customer.since, draw(st.sampled_from(["customer", "stage"])): draw(INSTANTS)})
    facts: list[Any] = list(customer.facts(what))
    if draw(st.booleans()) and facts:
        facts.remove(draw(st.sampled_from(facts)))
    else:
        facts.append(draw(FACTS[what]))
    return with_facts(customer, {what: facts})


def with_facts(customer: CustomerReadings, facts: dict[str, Any]) -> CustomerReadings:
    """The customer with other facts, by stream."""
    return replace(customer, **facts)
