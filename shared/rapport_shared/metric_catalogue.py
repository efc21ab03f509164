"""The metrics of Rapport, each declared once: what a process exposes, and what dashboard and alert rules may name."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["counter", "gauge", "histogram"]
Unit = Literal["short", "s", "reqps", "dateTimeFromNow"]
"""How a panel shows the figure, in Grafana's words."""

REQUEST_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)
DELAY_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30, 300)


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric: its name without the ending that Prometheus gives a counter, its labels, and how it is shown.

    `row` is the row of the dashboard, `combine` how the series of several processes become one.
    """

    name: str
    kind: Kind
    text: str
    row: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()
    unit: Unit = "short"
    combine: Literal["sum", "max"] = "sum"

    def series(self) -> Mapping[str, tuple[str, ...]]:
        """The series that are exposed, with their labels."""
        match self.kind:
            case "counter":
                return {f"{self.name}_total": self.labels}
            case "gauge":
                return {self.name: self.labels}
            case "histogram":
                counted = {f"{self.name}_{ending}": self.labels for ending in ("count", "sum")}
                return {f"{self.name}_bucket": (*self.labels, "le"), **counted}


VIEW: Final = "The view"
REQUESTS: Final = "Requests"
CONSUMERS: Final = "Consumers"
PRODUCING: Final = "Outboxes"
PROCESSES: Final = "Processes"
_ROUTE = ("method", "route", "status")

VIEW_LAG: Final = Metric(
    "rapport_view_lag_seconds",
    "gauge",
    "How long ago a run of the view had read everything.",
    VIEW,
    ("run",),
    unit="s",
    combine="max",
)
UNRECORDED: Final = Metric(
    "rapport_unrecorded_touchpoints",
    "gauge",
    "Touchpoints that were accepted and have come to no end yet, among the latest 10,000.",
    VIEW,
    combine="max",
)
UNRECORDED_AGE: Final = Metric(
    "rapport_unrecorded_age_seconds", "gauge", "How long the oldest of them has waited.", VIEW, unit="s", combine="max"
)
QUARANTINE_ROWS: Final = Metric(
    "rapport_quarantine_rows", "gauge", "Touchpoints in quarantine; 100,000 stands for more.", VIEW, combine="max"
)
PROJECTION_DELAY: Final = Metric(
    "rapport_projection_delay_seconds",
    "histogram",
    "From record time to the commit that consumed it, of the longest waiting event of each batch.",
    VIEW,
    ("consumer",),
    DELAY_BUCKETS,
    unit="s",
)
REQUESTS_TIME: Final = Metric(
    "rapport_request_seconds",
    "histogram",
    "Time of HTTP requests, without those that wait on purpose.",
    REQUESTS,
    _ROUTE,
    REQUEST_BUCKETS,
    unit="s",
)
WAITING_REQUESTS: Final = Metric(
    "rapport_waiting_requests",
    "counter",
    "HTTP requests that wait on purpose, at their end: long polls (wait_ms) and event streams.",
    REQUESTS,
    _ROUTE,
    unit="reqps",
)
CONSUMER_LAG: Final = Metric(
    "rapport_consumer_lag", "gauge", "Records not yet consumed.", CONSUMERS, ("consumer", "topic", "partition")
)
CONSUMED: Final = Metric("rapport_consumed", "counter", "Records consumed.", CONSUMERS, ("consumer", "topic"))
NEWEST_EVENT: Final = Metric(
    "rapport_consumer_newest_event_timestamp_seconds",
    "gauge",
    "Record time of the newest event that a consumer of this process has committed.",
    CONSUMERS,
    ("consumer",),
    unit="dateTimeFromNow",
    combine="max",
)
CONSUMER_HALTED: Final = Metric(
    "rapport_consumer_halted",
    "gauge",
    "1 while a consumer or the relay is halted.",
    CONSUMERS,
    ("consumer",),
    combine="max",
)
DEAD_LETTERS: Final = Metric(
    "rapport_dead_letters", "counter", "Records rejected.", CONSUMERS, ("consumer", "topic"), combine="max"
)
DEAD_LETTER_ROWS: Final = Metric(
    "rapport_dead_letter_rows",
    "gauge",
    "Dead letters that were neither replayed nor dismissed; 100,000 stands for more.",
    CONSUMERS,
    combine="max",
)
LEADING: Final = Metric("rapport_leading", "gauge", "1 while this process leads a role.", CONSUMERS, ("role",))
OUTBOX_ROWS: Final = Metric(
    "rapport_outbox_rows", "gauge", "Messages not yet sent; 100,000 stands for more.", PRODUCING, combine="max"
)
OUTBOX_AGE: Final = Metric(
    "rapport_outbox_age_seconds", "gauge", "Age of the oldest message not yet sent.", PRODUCING, unit="s", combine="max"
)
OUTBOX_PARKED: Final = Metric(
    "rapport_outbox_parked", "gauge", "Aggregates whose messages are parked.", PRODUCING, combine="max"
)
RELAYED: Final = Metric("rapport_relayed", "counter", "Messages acknowledged by Kafka.", PRODUCING)
KAFKA_SILENCE: Final = Metric(
    "rapport_kafka_silence_seconds",
    "gauge",
    "How long no broker has answered this process.",
    PROCESSES,
    unit="s",
    combine="max",
)
GATHERED: Final = Metric(
    "rapport_gathered_timestamp_seconds",
    "gauge",
    "When the figures that the database keeps were last read; 0 before they first were.",
    PROCESSES,
    unit="dateTimeFromNow",
    combine="max",
)
PROCESS_INFO: Final = Metric(
    "rapport_process_info", "gauge", "1, with the process's name and version.", PROCESSES, ("process", "version")
)

CATALOGUE: Final[tuple[Metric, ...]] = (
    VIEW_LAG,
    UNRECORDED,
    UNRECORDED_AGE,
    QUARANTINE_ROWS,
    PROJECTION_DELAY,
    REQUESTS_TIME,
    WAITING_REQUESTS,
    CONSUMER_LAG,
    CONSUMED,
    NEWEST_EVENT,
    CONSUMER_HALTED,
    DEAD_LETTERS,
    DEAD_LETTER_ROWS,
    LEADING,
    OUTBOX_ROWS,
    OUTBOX_AGE,
    OUTBOX_PARKED,
    RELAYED,
    KAFKA_SILENCE,
    GATHERED,
    PROCESS_INFO,
)
