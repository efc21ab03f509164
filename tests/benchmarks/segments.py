"""What two hundred segments cost a customer's event: as far as the change reaches, and in full; no infrastructure."""

import random
import tracemalloc
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from time import thread_time
from typing import Any, Final

from rapport_scoring.domain.segments import (
    ContactMade,
    CustomerReadings,
    PurchaseMade,
    SegmentIndex,
    SegmentPolicy,
    TicketOpened,
    begin,
    compile_segments,
    evaluate,
    next_change,
    reevaluate,
)
from tests.benchmarks.figures import Figure, percentile, size

SEGMENTS: Final = 200
CUSTOMERS, QUICK_CUSTOMERS = 100_000, 2_000
EVENTS, QUICK_EVENTS = 20_000, 1_000
SAMPLE: Final = 1_000
START: Final = datetime(2026, 3, 1, tzinfo=UTC)

_CHANNELS = ("phone", "email", "chat", "store")
_TIERS = ("bronze", "silver", "gold", "platinum")
_STAGES = ("first_order", "developing", "loyal", "lapsed")
_UNITS = ("cn", "cn/east", "cn/east/shanghai", "cn/south", "de", "de/north")
_MONEY = ("value:last_90_days", "value:lifetime", "value:potential", "value:model", "value:total")


async def measure(quick: bool) -> list[Figure]:
    """`segments_…`: events at a base of customers who are in segments already. Raises AssertionError for a mismatch.

    An event's cost includes the causes of what it moves and the instant at which time moves the customer next; beside
    it, evaluating all segments in full, without and with that instant. It is CPU time, for the machine is shared.
    """
    began = thread_time()
    index = compile_segments({f"segment-{n}": _policy(n) for n in range(SEGMENTS)})
    compiled = thread_time() - began
    customers, events = (QUICK_CUSTOMERS, QUICK_EVENTS) if quick else (CUSTOMERS, EVENTS)
    sample = [_customer(number) for number in range(SAMPLE)]
    return [
        size("segments_compiled", compiled * 1000, "ms for 200"),
        *_of_events(index, customers, events),
        size("segments_next_change", _mean(lambda one: next_change(index, one, START), sample), "µs of CPU"),
        size("segments_kept", _kept(index, sample), "bytes a customer"),
    ]


def _of_events(index: SegmentIndex, customers: int, events: int) -> Iterator[Figure]:
    states = [begin(index, _customer(number), START) for number in range(customers)]
    seconds, entering, full, anew, moved = [], [], 0.0, 0.0, 0
    for number in range(events):
        chance = random.Random(-1 - number)
        customer = chance.randrange(customers)
        old, at = _customer(customer), START + timedelta(minutes=chance.randrange(3 * 1440))
        new = _after_event(chance, old, at)
        began = thread_time()
        change = reevaluate(index, states[customer], old, new, at)
        ended = thread_time()
        expected = evaluate(index, new, at)
        evaluated = thread_time()
        begin(index, new, at)
        full, anew = full + evaluated - ended, anew + thread_time() - evaluated
        assert change.after.segments == expected
        moved += len(change.entered) + len(change.left)
        seconds.append(ended - began)
        if change.entered:
            entering.append(ended - began)
    yield from _times("segments_event", seconds)
    yield from _times("segments_entry", entering)
    yield size("segments_moved", moved / events, "segments an event")
    yield size("segments_full", full / events * 1e6, "µs of CPU")
    yield size("segments_full_and_due", anew / events * 1e6, "µs of CPU")


def _times(name: str, seconds: Sequence[float]) -> Iterator[Figure]:
    yield size(name, sum(seconds) / len(seconds) * 1e6, "µs of CPU")
    yield size(f"{name}_p50", percentile(seconds, 50) * 1e6, "µs of CPU")
    yield size(f"{name}_p99", percentile(seconds, 99) * 1e6, "µs of CPU")


def _mean(work: Callable[[CustomerReadings], object], sample: Iterable[CustomerReadings]) -> float:
    seconds = []
    for one in sample:
        began = thread_time()
        work(one)
        seconds.append(thread_time() - began)
    return sum(seconds) / len(seconds) * 1e6


def _kept(index: SegmentIndex, sample: Sequence[CustomerReadings]) -> float:
    tracemalloc.start()
    states = [begin(index, one, START) for one in sample]
    kept = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return kept / len(states)


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
