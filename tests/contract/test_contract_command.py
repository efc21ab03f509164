"""`make check` fails with what differs or breaks, and says what to do."""

import json
import sys
from pathlib import Path

import pytest

from rapport_shared.contract_documents import schemas
from rapport_shared.contract_documents.command_line import run
from rapport_shared.contract_documents.files import Documents
from rapport_shared.contract_documents.released import read_schemas

UP_TO_DATE = Documents({})
TICKET = "events/rapport.ticket.opened.v1"


def stopped_with(monkeypatch: pytest.MonkeyPatch, documents: Documents, *arguments: str) -> str:
    monkeypatch.setattr(sys, "argv", ["contracts", *arguments])
    with pytest.raises(SystemExit) as stopped:
        run(documents)
    return str(stopped.value)


def test_a_difference_is_printed_as_a_diff(monkeypatch: pytest.MonkeyPatch) -> None:
    printed = stopped_with(monkeypatch, Documents({"docs/absent.md": "# Absent\n"}), "--check")
    assert "+++ docs/absent.md (generated)\n" in printed
    assert "+# Absent\n" in printed
    assert printed.endswith("run `make contracts`.")


def test_a_broken_promise_is_printed_by_type_and_field(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    promised = json.loads(schemas.text_of(TICKET))
    promised["$defs"]["TicketState"]["properties"]["urgency"] = {"type": "string"}
    path = tmp_path / f"{TICKET}.json"
    path.parent.mkdir()
    path.write_text(json.dumps(promised))
    for action in ("--check", "--release"):
        printed = stopped_with(monkeypatch, UP_TO_DATE, action, "--against", str(tmp_path))
        assert f"{TICKET}: /ticket/urgency is gone\n" in printed
        assert "docs/decisions/contract-changes.md" in printed
    assert read_schemas(tmp_path) == {TICKET: promised}


def test_where_nothing_differs_or_breaks_it_is_silent(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["contracts", "--check"])
    run(UP_TO_DATE)
    assert capsys.readouterr().out == ""
