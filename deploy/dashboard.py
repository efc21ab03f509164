"""The Grafana dashboard, made of the metric catalogue: a panel for each metric, a row for each subject."""

from collections.abc import Iterator
from itertools import groupby
from typing import Any, Final

from rapport_shared.contract_documents.files import json_text
from rapport_shared.metric_catalogue import CATALOGUE, Metric

FILE: Final = "deploy/grafana/rapport.json"
_SOURCE: Final = {"type": "prometheus", "uid": "prometheus"}
_WIDTH, _HEIGHT, _COLUMNS = 8, 7, 3


def dashboard_text() -> str:
    """The dashboard as its file holds it."""
    return json_text(dashboard())


def dashboard() -> dict[str, Any]:
    """The dashboard as Grafana reads it."""
    return {
        "uid": "rapport",
        "title": "Rapport",
        "tags": ["rapport"],
        "timezone": "browser",
        "schemaVersion": 39,
        "refresh": "15s",
        "time": {"from": "now-1h", "to": "now"},
        "panels": [{"id": number, **panel} for number, panel in enumerate(_panels(), start=1)],
    }


def expression(metric: Metric) -> str:
    """What a panel shows of a metric: rates of counters, the 99th percentile of histograms, gauges as they are."""
    by = ", ".join(("job", *_shown_labels(metric)))
    match metric.kind:
        case "counter":
            return f"sum by ({by}) (rate({metric.name}_total[5m]))"
        case "gauge":
            seconds_to_milliseconds = " * 1000" if metric.unit == "dateTimeFromNow" else ""
            return f"{metric.combine} by ({by}) ({metric.name}){seconds_to_milliseconds}"
        case "histogram":
            return f"histogram_quantile(0.99, sum by ({by}, le) (rate({metric.name}_bucket[5m])))"


def _shown_labels(metric: Metric) -> tuple[str, ...]:
    """The labels that have lines of their own: partitions and methods would be too many."""
    return tuple(label for label in metric.labels if label not in ("partition", "method"))


def _panels() -> Iterator[dict[str, Any]]:
    top = 0
    for row, metrics in groupby(CATALOGUE, key=lambda metric: metric.row):
        yield {"type": "row", "title": row, "collapsed": False, "gridPos": {"x": 0, "y": top, "w": 24, "h": 1}}
        top += 1
        shown = list(metrics)
        for place, metric in enumerate(shown):
            line, column = divmod(place, _COLUMNS)
            yield _panel(metric, column * _WIDTH, top + line * _HEIGHT)
        top += -(-len(shown) // _COLUMNS) * _HEIGHT


def _panel(metric: Metric, left: int, top: int) -> dict[str, Any]:
    percentile = ", 99th percentile" if metric.kind == "histogram" else ""
    each_second = ", each second" if metric.kind == "counter" else ""
    legend = " ".join(f"{{{{{label}}}}}" for label in ("job", *_shown_labels(metric)))
    return {
        "type": "timeseries",
        "title": f"{metric.name}{percentile}{each_second}",
        "description": metric.text,
        "datasource": _SOURCE,
        "gridPos": {"x": left, "y": top, "w": _WIDTH, "h": _HEIGHT},
        "fieldConfig": {"defaults": {"unit": metric.unit}, "overrides": []},
        "targets": [{"refId": "A", "datasource": _SOURCE, "expr": expression(metric), "legendFormat": legend}],
    }
