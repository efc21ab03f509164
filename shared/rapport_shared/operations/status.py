"""How the processes of a stack do: what each says of its readiness and in its metrics."""

import asyncio
import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from prometheus_client.parser import text_string_to_metric_families

from rapport_shared import metric_catalogue as catalogue

PATIENCE_SECONDS: Final = 5
_FIGURES: Final = {
    "lag": catalogue.CONSUMER_LAG,
    "outbox": catalogue.OUTBOX_ROWS,
    "dead": catalogue.DEAD_LETTER_ROWS,
    "quarantine": catalogue.QUARANTINE_ROWS,
}
_BROKEN_ANSWER: Final = (OSError, http.client.HTTPException, ValueError, KeyError, TypeError)
# Requests to a process of the stack ignore the proxy settings of the environment.
_OPENER: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))

Samples = Mapping[str, Sequence[tuple[Mapping[str, str], float]]]
"""The series of a metric by its name: labels and value."""


@dataclass(frozen=True, slots=True)
class ProcessState:
    """What a process says of itself; `state` is ready, not ready or away."""

    name: str
    state: str
    amiss: Sequence[str] = ()
    samples: Samples = field(default_factory=dict)

    @property
    def ready(self) -> bool:
        """Whether it can do its work."""
        return self.state == "ready"

    def total(self, metric: catalogue.Metric) -> float:
        """The sum of a gauge over its labels."""
        return sum(value for _, value in self.samples.get(metric.name, ()))

    def worst(self, metric: catalogue.Metric) -> float | None:
        """The greatest value of a gauge; None where the process does not expose it."""
        return max((value for _, value in self.samples.get(metric.name, ())), default=None)

    def line(self) -> str:
        """The process as a line of the table."""
        if self.state == "away":
            return f"{self.name:<14}{self.state:<12}{'':>{len(_FIGURES) * 12}}  {'; '.join(self.amiss)}".rstrip()
        figures = "".join(f"{self.total(metric):>12.0f}" for metric in _FIGURES.values())
        return f"{self.name:<14}{self.state:<12}{figures}  {'; '.join(self.amiss)}".rstrip()


async def ask_processes(urls: Mapping[str, str]) -> list[ProcessState]:
    """What each process says of itself, all asked at once."""
    return list(await asyncio.gather(*(asyncio.to_thread(_ask, name, url) for name, url in urls.items())))


def describe(states: Sequence[ProcessState]) -> list[str]:
    """The lines of `rapport status`."""
    heading = f"{'process':<14}{'state':<12}{''.join(f'{name:>12}' for name in _FIGURES)}"
    return [heading, *(state.line() for state in states), *_view_lines(states)]


def _view_lines(states: Sequence[ProcessState]) -> list[str]:
    lags = [lag for state in states if (lag := state.worst(catalogue.VIEW_LAG)) is not None]
    if not lags:
        return ["the view: no process says how fresh it is"]
    unrecorded = max(state.total(catalogue.UNRECORDED) for state in states)
    age = max(state.total(catalogue.UNRECORDED_AGE) for state in states)
    oldest = f", the oldest for {age:.1f} s" if unrecorded else ""
    return [f"the view: all read {max(lags):.1f} s ago; {unrecorded:.0f} accepted and not yet recorded{oldest}"]


def _ask(name: str, url: str) -> ProcessState:
    try:
        readiness = json.loads(_get(f"{url}/readyz"))
        samples = _samples(_get(f"{url}/metrics").decode())
        return ProcessState(name, str(readiness["status"]), [str(one) for one in readiness["amiss"]], samples)
    except _BROKEN_ANSWER as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        return ProcessState(name, "away", [f"{url} does not answer ({type(reason).__name__})"])


def _get(url: str) -> bytes:
    """The body of an answer, also of one that says that the process is not ready."""
    try:
        with _OPENER.open(url, timeout=PATIENCE_SECONDS) as answer:
            return bytes(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.read()


def _samples(text: str) -> Samples:
    found: dict[str, list[tuple[dict[str, str], float]]] = {}
    families: Any = text_string_to_metric_families(text)
    for family in families:
        for sample in family.samples:
            found.setdefault(sample.name, []).append((sample.labels, sample.value))
    return found
