"""What hundreds of segments cost a customer's event: as far as the change reaches, and in full; no infrastructure."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from time import thread_time
from typing import Any, Final

from pydantic import TypeAdapter

from rapport_scoring.domain.segments import (
    AnswerGiven,
    Change,
    ContactMade,
    CustomerReadings,
    Kept,
    PurchaseMade,
    SegmentIndex,
    SegmentPolicy,
    TicketOpened,
    compile_segments,
    evaluate,
    refresh,
)
from tests.benchmarks.figures import Figure, percentile, size

SEGMENTS: Final = {"segments": 200, "segments_1000": 1_000}
CUSTOMERS, QUICK_CUSTOMERS = 10_000, 1_000
EVENTS, QUICK_EVENTS = 10_000, 500
START: Final = datetime(2026, 3, 1, tzinfo=UTC)
WRITTEN: Final = TypeAdapter(Kept)

_CHANNELS = ("phone", "email", "chat", "store")
_TIERS = ("bronze", "silver", "gold", "platinum")
_STAGES = ("first_order", "developing", "loyal", "lapsed")
_UNITS = ("cn", "cn/east", "cn/east/shanghai", "cn/south", "de", "de/north")
_MONEY = ("value:last_90_days", "value:lifetime", "value:potential", "value:model", "value:total")


async def measure(quick: bool) -> list[Figure]:
    """`segments_…`: events at a base of customers who are in segments already. Raises AssertionError for a mismatch.

    An event's cost includes the causes of what it moves, the instant at which time moves the customer next, and what is
    kept of it; beside it, the same where nothing was kept, and bare evaluation of all segments. It is CPU time, for the
    machine is shared.
    """
    return [figure for name, count in SEGMENTS.items() for figure in _of_segments(name, count, quick)]


def _of_segments(name: str, count: int, quick: bool) -> Iterator[Figure]:
    policies = {f"segment-{number}": _policy(number) for number in range(count)}
    began = thread_time()
    index = compile_segments(policies)
    yield size(f"{name}_compiled", (thread_time() - began) * 1000, f"ms for {count:,}")
    customers, events = (QUICK_CUSTOMERS, QUICK_EVENTS) if quick else (CUSTOMERS, EVENTS)
    states = [refresh(index, frozenset(), None, _customer(number), START) for number in range(customers)]
    yield from _of_events(name, index, states, events)
    yield from _times(f"{name}_unread", [_unread(index, state, number) for number, state in enumerate(states)])
    written = [len(WRITTEN.dump_json(state.kept, exclude_defaults=True)) for state in states]
    yield size(f"{name}_kept", sum(written) / len(written), "bytes a customer, as JSON")


def _of_events(name: str, index: SegmentIndex, states: Sequence[Change], events: int) -> Iterator[Figure]:
    seconds, entering, full, anew, moved = [], [], 0.0, 0.0, 0
    for number in range(events):
        chance = random.Random(-1 - number)
        customer = chance.randrange(len(states))
        state, at = states[customer], START + timedelta(minutes=chance.randrange(3 * 1440))
        new = _after_event(chance, _customer(customer), at)
        began = thread_time()
        change = refresh(index, state.segments, state.kept, new, at)
        ended = thread_time()
        expected = evaluate(index, new, at)
        evaluated = thread_time()
        forgetful = refresh(index, state.segments, None, new, at)
        full, anew = full + evaluated - ended, anew + thread_time() - evaluated
        assert change.segments == expected
        assert change.kept == forgetful.kept
        moved += len(change.entered) + len(change.left)
        seconds.append(ended - began)
        if change.entered:
            entering.append(ended - began)
    yield from _times(f"{name}_event", seconds)
    yield from _times(f"{name}_entry", entering)
    yield size(f"{name}_moved", moved / events, "segments an event")
    yield size(f"{name}_full", full / events * 1e6, "µs of CPU")
    yield size(f"{name}_anew", anew / events * 1e6, "µs of CPU")


def _unread(index: SegmentIndex, state: Change, number: int) -> float:
    """What an event costs of which no segment reads anything."""
    customer = _customer(number)
    answered = replace(
        customer,
        answers=[AnswerGiven(START, "nps", 9)],
        values={**customer.values, "indicator:orders": -1},
    )
    began = thread_time()
    done = refresh(index, state.segments, state.kept, answered, START)
    ended = thread_time()
    assert done.kept == state.kept
    return ended - began


def _times(name: str, seconds: Sequence[float]) -> Iterator[Figure]:
    yield size(name, sum(seconds) / len(seconds) * 1e6, "µs of CPU")
    yield size(f"{name}_p50", percentile(seconds, 50) * 1e6, "µs of CPU")
    yield size(f"{name}_p99", percentile(seconds, 99) * 1e6, "µs of CPU")


def _policy(number: int) -> SegmentPolicy:
    """Two to four conditions: what the customer is, what it is worth, and mostly what it did lately."""
    chance = random.Random(number)
    parts: list[dict[str, Any]] = [
        {"reading": chance.choice(_MONEY), "at_least": chance.randrange(1, 200) * 10_000},
        chance.choice(
            [
                {"reading": "tier", "in": chance.sample(_TIERS, 2)},
                {"reading": "stage", "is": chance.choice(_STAGES)},
                {"reading": "attribute:unit", "under": chance.choice(_UNITS)},
            ]
        ),
    ]
    if number % 4:
        parts.append(_window(chance))
    if number % 5 == 0:
        parts.append({"not": {"reading": "tickets:open:complaint", "at_least": 1}})
    return SegmentPolicy.model_validate({"when": {"any" if number % 10 == 0 else "all": parts}})


def _window(chance: random.Random) -> dict[str, Any]:
    within = chance.choice(["30 minutes", "1 day", "7 days", "30 days", "90 days"])
    channel = {"channel": chance.choice(_CHANNELS)}
    return chance.choice(
        [
            {"count": "contacts", "where": channel, "within": within, "at_least": chance.randrange(1, 5)},
            {"sum": "purchases.revenue", "within": "90 days", "at_least": chance.randrange(1, 100) * 1_000},
            {"absent": "contacts", "for": chance.choice(["30 days", "60 days"]), "among": "ever"},
            {"absent": "purchases", "for": "90 days", "among": "as_long"},
            {"count": "tickets", "where": {"kind": "complaint"}, "within": "90 days", "at_least": 2},
        ]
    )


def _customer(number: int) -> CustomerReadings:
    """The same number is the same customer: 12 contacts, 6 purchases and a ticket in the mean, over a year."""
    chance = random.Random(number)
    values: dict[str, Any] = {name: chance.randrange(2_000_000) for name in _MONEY}
    values |= {"tier": chance.choice(_TIERS), "stage": chance.choice(_STAGES), "attribute:unit": chance.choice(_UNITS)}
    values |= {"tickets:open:complaint": int(chance.random() < 0.1), "indicator:orders": chance.randrange(30)}
    return CustomerReadings(
        values,
        {"customer": _before(chance)},
        [ContactMade(_before(chance), chance.choice(_CHANNELS), "call.ended") for _ in range(chance.randrange(25))],
        [PurchaseMade(_before(chance), chance.randrange(50_000)) for _ in range(chance.randrange(13))],
        tickets=[TicketOpened(_before(chance), "complaint") for _ in range(chance.randrange(3))],
    )


def _before(chance: random.Random) -> datetime:
    return START - timedelta(minutes=chance.randrange(365 * 1440))


def _after_event(chance: random.Random, old: CustomerReadings, at: datetime) -> CustomerReadings:
    """Seven of ten events are contacts, two purchases, which change values too, the rest tickets and tiers."""
    kind = chance.randrange(40)
    if kind < 28:
        return replace(old, contacts=[*old.contacts, ContactMade(at, chance.choice(_CHANNELS), "call.ended")])
    if kind < 36:
        raised = {name: int(str(old.values[name])) + chance.randrange(50_000) for name in _MONEY}
        bought = PurchaseMade(at, chance.randrange(50_000))
        return replace(old, purchases=[*old.purchases, bought], values={**old.values, **raised})
    if kind < 39:
        values = {**old.values, "tickets:open:complaint": 1}
        return replace(old, tickets=[*old.tickets, TicketOpened(at, "complaint")], values=values)
    return replace(old, values={**old.values, "tier": chance.choice(_TIERS)})
