"""What a log record carries is in the log: no field is dropped in silence, and nothing that is secret is shown."""

import ast
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.infrastructure import CHECKOUT
from rapport_shared.settings import ServiceSettings
from rapport_shared.telemetry import ALLOWED_FIELDS, JsonFormatter

_LEVELS = {"debug", "info", "warning", "error", "critical", "exception", "log"}
SOURCES = sorted([*(CHECKOUT / "shared").rglob("*.py"), *(CHECKOUT / "services").rglob("*.py")])


def extras(source: str) -> Iterator[ast.expr]:
    """The `extra` of each call that logs."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _LEVELS:
            yield from (keyword.value for keyword in node.keywords if keyword.arg == "extra")


def dropped(source: str) -> list[str]:
    """Fields that the formatter would drop; an `extra` that is no literal cannot be known, and counts as one."""
    found: list[str] = []
    for extra in extras(source):
        if not isinstance(extra, ast.Dict):
            found.append(ast.unparse(extra))
            continue
        names = [key.value if isinstance(key, ast.Constant) else None for key in extra.keys]
        found += [str(name) for name in names if name not in ALLOWED_FIELDS]
    return found


def test_no_field_of_a_log_record_is_dropped() -> None:
    logging_calls = 0
    for path in SOURCES:
        source = path.read_text(encoding="utf-8")
        assert dropped(source) == [], path.relative_to(CHECKOUT)
        logging_calls += sum(1 for _ in extras(source))
    assert logging_calls > 20


@pytest.mark.parametrize(
    ("source", "fields"),
    [
        ('_log.info("done", extra={"rows": 1})', []),
        ('_log.info("done", extra={"rows": 1, "phone": 2})', ["phone"]),
        ('_log.exception("broken", extra=fields)', ["fields"]),
        ('_log.error("broken", extra={**fields})', ["None"]),
    ],
)
def test_a_field_that_would_be_dropped_is_found(source: str, fields: list[str]) -> None:
    assert dropped(source) == fields


def test_a_line_has_the_process_and_the_allowed_fields_alone() -> None:
    record = logging.makeLogRecord(
        {"name": "rapport.test", "msg": "done", "levelname": "INFO", "rows": 3, "phone": "1"}
    )
    line = json.loads(JsonFormatter("gateway-view").format(record))
    assert (line["process"], line["message"], line["rows"]) == ("gateway-view", "done", 3)
    assert "phone" not in line


def test_settings_are_shown_without_secrets_and_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAPPORT_KAFKA", "kafka:9092")
    monkeypatch.setenv("RAPPORT_DATABASE", "postgresql://rapport:p%40ss@db:5432/rapport_customer?sslpassword=hidden")
    monkeypatch.setenv("RAPPORT_TOKEN_SECRET", "s" * 40)
    shown = ServiceSettings().shown()
    assert (shown["kafka"], shown["database"]) == ("kafka:9092", "postgresql://db:5432/rapport_customer")
    assert not any(word in json.dumps(shown) for word in ("ss@", "hidden", "sss", "secret"))


def test_every_source_is_read() -> None:
    assert Path(CHECKOUT / "shared" / "rapport_shared" / "service.py") in SOURCES
