"""Logs and metrics. What may be said is listed here; nothing personal can be."""

import json
import logging
import sys
import traceback
from datetime import UTC, datetime
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

ALLOWED_FIELDS = frozenset(
    {
        "address",
        "attempt",
        "batch",
        "code",
        "consumer",
        "duration_ms",
        "error",
        "event_id",
        "lane",
        "method",
        "offset",
        "partition",
        "place",
        "reason",
        "role",
        "rows",
        "run",
        "service",
        "status",
        "topic",
        "trace",
        "version",
    }
)
"""The fields a log record may carry. Ids of events are allowed, identifiers and texts of customers are not."""


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger, message, and the allowed fields."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "service": self._service,
            "logger": record.name,
            "message": record.getMessage(),
        }
        line.update({name: value for name, value in vars(record).items() if name in ALLOWED_FIELDS})
        if record.exc_info and record.exc_info[1] is not None:
            line["error"], line["place"] = describe_error(record.exc_info[1])
        return json.dumps(line, ensure_ascii=False, default=str)


def describe_error(error: BaseException) -> tuple[str, list[str]]:
    """An exception's type and the places it passed, without its text: texts of drivers may quote a row."""
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    places = [f"{frame.filename.rsplit('/site-packages/')[-1].rsplit('/src/')[-1]}:{frame.lineno}" for frame in frames]
    name = type(error).__name__
    if isinstance(error, BaseExceptionGroup):
        name += "(" + ", ".join(describe_error(inner)[0] for inner in error.exceptions) + ")"
        places += [place for inner in error.exceptions for place in describe_error(inner)[1]]
    state = getattr(error, "sqlstate", None)
    return (f"{name} {state}" if isinstance(state, str) else name), places


def configure_logging(service: str, level: str) -> None:
    """Logs go to standard error as JSON. Libraries speak from `warning` on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter(service))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("rapport").setLevel(level.upper())
    # aiokafka reports at `error` each attempt to reach a broker that is away; the roles say it once.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)


class Metrics:
    """The metrics of one service process, with a registry of their own so that tests can hold several."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Histogram(
            "rapport_request_seconds",
            "Time of HTTP requests.",
            ("method", "route", "status"),
            registry=self.registry,
            buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
        )
        self.consumer_lag = Gauge(
            "rapport_consumer_lag",
            "Records not yet consumed.",
            ("consumer", "topic", "partition"),
            registry=self.registry,
        )
        self.consumed = Counter("rapport_consumed", "Records consumed.", ("consumer", "topic"), registry=self.registry)
        self.halted = Gauge(
            "rapport_consumer_halted", "1 while a consumer is halted.", ("consumer",), registry=self.registry
        )
        self.dead_letters = Counter(
            "rapport_dead_letters", "Records rejected.", ("consumer", "topic"), registry=self.registry
        )
        self.dead_letter_rows = Gauge("rapport_dead_letter_rows", "Dead letters kept.", registry=self.registry)
        self.outbox_rows = Gauge("rapport_outbox_rows", "Messages not yet sent.", registry=self.registry)
        self.outbox_age = Gauge(
            "rapport_outbox_age_seconds", "Age of the oldest message not yet sent.", registry=self.registry
        )
        self.outbox_parked = Gauge(
            "rapport_outbox_parked", "Aggregates whose messages are parked.", registry=self.registry
        )
        self.relayed = Counter("rapport_relayed", "Messages acknowledged by Kafka.", registry=self.registry)
        self.leading = Gauge("rapport_leading", "1 while this process leads a role.", ("role",), registry=self.registry)
        self.quarantine_rows = Gauge("rapport_quarantine_rows", "Touchpoints in quarantine.", registry=self.registry)
        self.projection_delay = Histogram(
            "rapport_projection_delay_seconds",
            "From record time to the commit that consumed it, of the longest waiting event of each batch.",
            ("consumer",),
            registry=self.registry,
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30, 300),
        )

    def exposition(self) -> bytes:
        """The Prometheus text format."""
        return generate_latest(self.registry)
