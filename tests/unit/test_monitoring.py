"""Alert rules, scrape configurations and the dashboard agree with the metrics, the processes and the runbook."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import promql_parser
import pytest
import yaml

from deploy.dashboard import FILE, dashboard_text
from deploy.local.infrastructure import CHECKOUT
from deploy.local.services import PROCESSES
from deploy.local.stack import default_ports
from rapport_shared.metric_catalogue import CATALOGUE, Metric
from rapport_shared.telemetry import Metrics
from tests.unit.test_documentation import anchors

PROMETHEUS = CHECKOUT / "deploy" / "prometheus"
SCRAPED = {"up": ("job", "instance")}
"""What Prometheus itself adds."""
SERIES = {
    name: ("job", "instance", *labels) for metric in CATALOGUE for name, labels in metric.series().items()
} | SCRAPED


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load((PROMETHEUS / "alerts.yml").read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    found = json.loads((CHECKOUT / FILE).read_text(encoding="utf-8"))["panels"]
    return [panel for panel in found if panel["type"] != "row"]


EXPRESSIONS = [rule["expr"] for rule in rules()] + [panel["targets"][0]["expr"] for panel in panels()]


def selectors(expression: Any) -> Iterator[Any]:
    """The selectors of series in a parsed expression."""
    match expression:
        case promql_parser.VectorSelector():
            yield expression
        case promql_parser.MatrixSelector():
            yield expression.vector_selector
        case promql_parser.BinaryExpr():
            yield from selectors(expression.lhs)
            yield from selectors(expression.rhs)
        case promql_parser.Call():
            for argument in expression.args:
                yield from selectors(argument)
        case promql_parser.AggregateExpr() | promql_parser.ParenExpr() | promql_parser.UnaryExpr():
            yield from selectors(expression.expr)
        case promql_parser.NumberLiteral() | promql_parser.StringLiteral():
            return
        case _:
            raise AssertionError(f"{type(expression).__name__} is not looked into")


def grouped_labels(text: str) -> set[str]:
    return {label.strip() for found in re.findall(r"\bby \(([^)]*)\)", text) for label in found.split(",")}


def faults(text: str) -> list[str]:
    """What an expression names that no process exposes. Raises for one that is not PromQL."""
    found, known = [], set()
    for selector in selectors(promql_parser.parse(text)):
        labels = SERIES.get(selector.name)
        if labels is None:
            found.append(selector.name)
            continue
        known |= set(labels)
        found += [f"{selector.name}{{{one.name}}}" for one in selector.matchers.matchers if one.name not in labels]
    return found + [f"by ({label})" for label in grouped_labels(text) - known]


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_every_expression_names_series_and_labels_that_there_are(expression: str) -> None:
    assert faults(expression) == []


@pytest.mark.parametrize(
    ("expression", "fault"),
    [
        ("rapport_outbox_row > 1", "rapport_outbox_row"),
        ('rapport_leading{consumer="x"} == 0', "rapport_leading{consumer}"),
        ("sum by (route) (rapport_leading)", "by (route)"),
        ("rate(rapport_consumed[5m])", "rapport_consumed"),
        ("histogram_quantile(0.9, rate(rapport_request_seconds_buckets[5m]))", "rapport_request_seconds_buckets"),
    ],
)
def test_an_expression_that_names_something_else_is_found(expression: str, fault: str) -> None:
    assert fault in faults(expression)


def test_an_expression_that_is_none_is_found() -> None:
    with pytest.raises(ValueError, match="unclosed left parenthesis"):
        faults("sum by (job (rapport_leading) > 1")


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: str(rule["alert"]))
def test_every_alert_names_its_section_of_the_runbook(rule: dict[str, Any]) -> None:
    page, _, anchor = rule["annotations"]["runbook"].partition("#")
    assert page == "docs/runbook.md"
    assert anchor in anchors(CHECKOUT / page)
    assert rule["labels"]["severity"] in ("page", "ticket")
    labels = set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"]))
    kept = grouped_labels(rule["expr"]) or ({"job", "instance"} if "by (" not in rule["expr"] else set())
    assert labels <= kept


def test_every_section_of_the_runbook_belongs_to_an_alert() -> None:
    named = {rule["annotations"]["runbook"].partition("#")[2] for rule in rules()}
    assert anchors(CHECKOUT / "docs" / "runbook.md") - {"runbook"} == named


@pytest.mark.parametrize("file", ["compose-scrape.yml", "local-scrape.yml"])
def test_every_process_is_scraped_under_its_name(file: str) -> None:
    configuration = yaml.safe_load((PROMETHEUS / file).read_text(encoding="utf-8"))
    targets = {one["job_name"]: one["static_configs"][0]["targets"] for one in configuration["scrape_configs"]}
    ports = default_ports({})
    local = {process: [f"127.0.0.1:{ports[process]}"] for process in PROCESSES}
    assert targets == (local if file == "local-scrape.yml" else {process: [f"{process}:8080"] for process in PROCESSES})
    assert [(PROMETHEUS / name).is_file() for name in configuration["rule_files"]] == [True]


def test_the_dashboard_is_as_the_catalogue_says() -> None:
    assert (CHECKOUT / FILE).read_text(encoding="utf-8") == dashboard_text(), "run `make contracts`"


def test_a_process_exposes_exactly_the_metrics_of_the_catalogue() -> None:
    exposed = {family.name: family for family in Metrics().registry.collect()}
    assert exposed.keys() == {metric.name for metric in CATALOGUE}
    for metric in CATALOGUE:
        assert (exposed[metric.name].type, exposed[metric.name].documentation) == (metric.kind, metric.text)


@pytest.mark.parametrize("metric", CATALOGUE, ids=lambda metric: str(metric.name))
def test_a_series_has_the_labels_that_the_catalogue_says(metric: Metric) -> None:
    metrics = Metrics()
    made = next(one for one in vars(metrics).values() if getattr(one, "_name", None) == metric.name)
    assert tuple(made._labelnames) == metric.labels


def test_compose_mounts_files_that_there_are() -> None:
    services = yaml.safe_load((PROMETHEUS / "compose.yaml").read_text(encoding="utf-8"))["services"]
    mounted = [volume.partition(":")[0] for service in services.values() for volume in service["volumes"]]
    assert all((CHECKOUT / "deploy" / path).exists() for path in mounted if path.startswith("./"))
