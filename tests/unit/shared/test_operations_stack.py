"""Which stack a command speaks of, and how it ends where nothing is named or nobody answers."""

import json
from pathlib import Path

import pytest

from rapport_shared.operations.command_line import run
from rapport_shared.operations.resuming import find_halt
from rapport_shared.operations.stack import LOCAL_STACK, WrongUsage, find_stack
from rapport_shared.operations.status import ProcessState, Samples, describe

NOWHERE = "postgresql://nobody:a-password@127.0.0.1:1/rapport_customer"
ADDRESSES = {"kafka": "127.0.0.1:1", "databases": {"customer": NOWHERE}, "ports": {"gateway": 1, "customer": 1}}


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty folder without settings."""
    monkeypatch.chdir(tmp_path)
    for name in ("KAFKA", "DATABASE", "PARTITIONS", "ENVIRONMENT", "GATEWAY_URL", "CUSTOMER_URL"):
        monkeypatch.delenv(f"RAPPORT_{name}", raising=False)
    return tmp_path


def make_local(folder: Path, text: str) -> None:
    (folder / LOCAL_STACK).parent.mkdir(parents=True)
    (folder / LOCAL_STACK).write_text(text)


def test_a_local_stack_is_found_from_a_folder_below(bare: Path) -> None:
    make_local(bare, json.dumps(ADDRESSES))
    below = bare / "docs" / "decisions"
    below.mkdir(parents=True)
    stack = find_stack(environment={}, directory=below)
    assert str(stack) == f"the local stack of {bare} (Kafka 127.0.0.1:1; database customer)"
    assert (stack.processes["gateway"], stack.partitions) == ("http://127.0.0.1:1", 3)


def test_options_come_before_settings_and_settings_before_the_local_stack(bare: Path) -> None:
    make_local(bare, json.dumps(ADDRESSES))
    settings = {"RAPPORT_KAFKA": "of-settings:9092", "RAPPORT_GATEWAY_VIEW_URL": "http://view:8080"}
    assert find_stack(environment=settings, directory=bare).kafka == "of-settings:9092"
    assert find_stack(environment=settings, directory=bare).processes == {"gateway-view": "http://view:8080"}
    assert find_stack(kafka="given:9092", environment=settings, directory=bare).kafka == "given:9092"
    assert find_stack(local=True, environment=settings, directory=bare).kafka == "127.0.0.1:1"
    assert find_stack(environment=settings, directory=bare).partitions == 12


def test_no_password_is_shown(bare: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor", "--database", NOWHERE, "--kafka", "127.0.0.1:1"]) == 1
    printed = capsys.readouterr()
    assert "a-password" not in printed.out + printed.err
    assert printed.out.startswith("Stack: named by options and settings (Kafka 127.0.0.1:1; database customer)\n")


@pytest.mark.parametrize(
    "command",
    [
        ["status"],
        ["doctor"],
        ["topics", "plan"],
        ["topics", "apply"],
        ["resume"],
        ["resume", "touches"],
        ["dead-letters", "list"],
        ["dead-letters", "show", "1"],
        ["dead-letters", "replay", "1"],
        ["dead-letters", "dismiss", "--all"],
    ],
    ids=" ".join,
)
def test_without_a_stack_it_is_wrong_usage_and_with_one_that_is_away_something_is_wrong(
    bare: Path, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(command) == 2
    assert "No stack is named" in capsys.readouterr().err
    make_local(bare, json.dumps(ADDRESSES))
    assert run(command) == 1
    assert f"Stack: the local stack of {bare}" in capsys.readouterr().out


@pytest.mark.parametrize(
    "options",
    [
        {"databases": ["not an address"]},
        {"databases": ["mysql://host/name"]},
        {"databases": [NOWHERE, NOWHERE]},
        {"databases": ["postgresql://host:port/name"]},
        {"kafka": "kafka:port"},
        {"kafka": "kafka:9092,other:x"},
        {"processes": ["gateway"]},
        {"processes": ["gateway=ftp://host"]},
        {"kafka": "k:9092", "environment": {"RAPPORT_PARTITIONS": "many"}},
    ],
    ids=str,
)
def test_what_cannot_be_an_address_is_wrong_usage(options: dict[str, object], bare: Path) -> None:
    with pytest.raises(WrongUsage):
        find_stack(**{"environment": {}, "directory": bare, **options})  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"kafka": 1, "databases": {}, "ports": []}'])
def test_a_file_of_addresses_that_is_broken_is_wrong_usage(bare: Path, text: str) -> None:
    make_local(bare, text)
    assert run(["status"]) == 2


def test_a_role_that_is_halted_in_several_services_is_named_with_its_service() -> None:
    halts = {"customer": {"relay": "one"}, "ticket": {"relay": "two", "playbook": "three"}}
    assert find_halt(halts, "playbook") == ("ticket", "playbook")
    assert find_halt(halts, "customer/relay") == ("customer", "relay")
    assert find_halt(halts, "touches") is None
    with pytest.raises(WrongUsage, match="name one of customer/relay, ticket/relay"):
        find_halt(halts, "relay")


def test_status_shows_the_worst_lag_of_the_view_and_what_is_amiss() -> None:
    lags: Samples = {"rapport_view_lag_seconds": [({"run": "1"}, 4.0), ({"run": "2"}, 9.5)]}
    waiting: Samples = {"rapport_unrecorded_touchpoints": [({}, 3.0)], "rapport_unrecorded_age_seconds": [({}, 61.0)]}
    states = [
        ProcessState("gateway", "not ready", ["it rests"], {**lags, **waiting}),
        ProcessState("ticket", "away", ["x"]),
    ]
    lines = describe(states)
    assert lines[1].startswith("gateway       not ready")
    assert lines[1].endswith("it rests")
    assert lines[2].split() == ["ticket", "away", "x"]
    assert lines[3] == "the view: all read 9.5 s ago; 3 accepted and not yet recorded, the oldest for 61.0 s"
