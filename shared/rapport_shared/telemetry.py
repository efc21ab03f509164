"""Logs and metrics. What may be said is listed here; nothing personal can be."""

import json
import logging
import sys
import traceback
from datetime import UTC, datetime
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from rapport_shared import metric_catalogue as catalogue

ALLOWED_FIELDS = frozenset(
    {
        "address",
        "attempt",
        "batch",
        "code",
        "consumer",
        "customer_id",
        "duration_ms",
        "error",
        "event_id",
        "key_id",
        "kind",
        "lane",
        "letter",
        "method",
        "offset",
        "partition",
        "place",
        "problem",
        "reason",
        "role",
        "roles",
        "route",
        "rows",
        "run",
        "run_id",
        "settings",
        "status",
        "topic",
        "trace",
        "version",
    }
)
"""The fields a log record may carry. Ids that Rapport makes are allowed, identifiers and texts of customers are not."""


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, process, logger, message, and the allowed fields."""

    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "process": self._process,
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


def configure_logging(process: str, level: str) -> None:
    """Logs go to standard error as JSON, under the name of the process. Libraries speak from `warning` on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter(process))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("rapport").setLevel(level.upper())
    # aiokafka reports at `error` each attempt to reach a broker that is away; the roles say it once.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)


class Metrics:
    """The metrics of one service process, with a registry of their own so that tests can hold several."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = self._histogram(catalogue.REQUESTS_TIME)
        self.waiting_requests = self._counter(catalogue.WAITING_REQUESTS)
        self.consumer_lag = self._gauge(catalogue.CONSUMER_LAG)
        self.consumed = self._counter(catalogue.CONSUMED)
        self.newest_event = self._gauge(catalogue.NEWEST_EVENT)
        self.halted = self._gauge(catalogue.CONSUMER_HALTED)
        self.dead_letters = self._counter(catalogue.DEAD_LETTERS)
        self.dead_letter_rows = self._gauge(catalogue.DEAD_LETTER_ROWS)
        self.outbox_rows = self._gauge(catalogue.OUTBOX_ROWS)
        self.outbox_age = self._gauge(catalogue.OUTBOX_AGE)
        self.outbox_parked = self._gauge(catalogue.OUTBOX_PARKED)
        self.relayed = self._counter(catalogue.RELAYED)
        self.leading = self._gauge(catalogue.LEADING)
        self.quarantine_rows = self._gauge(catalogue.QUARANTINE_ROWS)
        self.unrecorded = self._gauge(catalogue.UNRECORDED)
        self.unrecorded_age = self._gauge(catalogue.UNRECORDED_AGE)
        self.view_lag = self._gauge(catalogue.VIEW_LAG)
        self.projection_delay = self._histogram(catalogue.PROJECTION_DELAY)
        self.kafka_silence = self._gauge(catalogue.KAFKA_SILENCE)
        self.gathered = self._gauge(catalogue.GATHERED)
        self.process_info = self._gauge(catalogue.PROCESS_INFO)

    def exposition(self) -> bytes:
        """The Prometheus text format."""
        return generate_latest(self.registry)

    def _counter(self, metric: catalogue.Metric) -> Counter:
        return Counter(metric.name, metric.text, metric.labels, registry=self.registry)

    def _gauge(self, metric: catalogue.Metric) -> Gauge:
        return Gauge(metric.name, metric.text, metric.labels, registry=self.registry)

    def _histogram(self, metric: catalogue.Metric) -> Histogram:
        return Histogram(metric.name, metric.text, metric.labels, registry=self.registry, buckets=metric.buckets)
