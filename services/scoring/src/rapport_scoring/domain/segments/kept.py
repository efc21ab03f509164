"""What is remembered of a customer's readings, so that next time only what has changed is looked at."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b

import orjson

from rapport_scoring.domain.segments.index import Moment, SegmentIndex
from rapport_scoring.domain.segments.readings import Happened, PurchaseMade, Stated


@dataclass(frozen=True, slots=True)
class Trace:
    """What is kept of a stream of facts: how many there were, and a digest of them, the same in every process."""

    facts: int
    digest: str


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of the readings with which a customer was evaluated at `at`; of what no segment reads, nothing.

    `policies` is the fingerprint of the segments. Before `due`, time alone changes none of their conditions; None is
    never. `values` leaves out what is as if nobody had stated it. It may be written as JSON and read again.
    """

    policies: str
    at: datetime
    due: datetime | None = None
    values: Mapping[str, Stated] = field(default_factory=dict)
    since: Mapping[str, datetime] = field(default_factory=dict)
    streams: Mapping[str, Trace] = field(default_factory=dict)


def keep(index: SegmentIndex, now: Moment) -> Kept:
    """What is to be kept of a moment, but for `due`."""
    stated = ((name, measure.value(now), measure.usual) for name, measure in index.standing.items())
    since = now.readings.since
    return Kept(
        policies=index.fingerprint,
        at=now.at,
        values={name: v for name, v, usual in stated if isinstance(v, str | int | float) and v != usual},
        since={name: since[name] for name in index.lasting if name in since},
        streams={stream: trace(now.readings.facts(stream)) for stream in index.windows},
    )


def trace(facts: Sequence[Happened]) -> Trace:
    """The trace of the facts of a stream, which are in order."""
    if facts and isinstance(facts[0], PurchaseMade):
        written = orjson.dumps([_purchase(fact) for fact in facts if isinstance(fact, PurchaseMade)])
    else:
        written = orjson.dumps([(fact.at.timestamp(), *fact[1:]) for fact in facts])
    return Trace(len(facts), blake2b(written, digest_size=12).hexdigest())


def _purchase(fact: PurchaseMade) -> tuple[object, ...]:
    """Its amount as text, for JSON is not written with integers of any size, and what it has several of in order."""
    return fact.at.timestamp(), str(fact.revenue), sorted(fact.categories), sorted(fact.skus)
