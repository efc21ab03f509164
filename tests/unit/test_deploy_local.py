"""The parts of the local stack that need no server: ports, jars, programs, accounts, secrets, containers' commands."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import pytest

from deploy.local.accounts import Account, is_reachable, reachable_place, readable_copy
from deploy.local.docker import ContainerServer, is_available
from deploy.local.errors import LocalStackError
from deploy.local.infrastructure import infrastructure
from deploy.local.jars import read_lock
from deploy.local.ports import LOOPBACK, PortBook, free_port, is_free, port_holder, require_free
from deploy.local.programs import OLDEST_POSTGRES, java_program, postgres_programs
from deploy.local.secret_book import SecretBook
from deploy.local.stack import default_ports

STRANGER = Account("stranger", 54321, 54321)


def listening_socket(port: int) -> socket.socket:
    listener = socket.socket()
    listener.bind((LOOPBACK, port))
    listener.listen()
    return listener


def test_a_taken_port_names_its_holder_and_the_way_out() -> None:
    port = free_port()
    with listening_socket(port):
        assert not is_free(port)
        assert f"pid {os.getpid()} (" in port_holder(port)
        with pytest.raises(LocalStackError, match=rf"port {port} \(gateway\) is held by pid .*RAPPORT_PORT_BASE"):
            require_free({"gateway": port}, "RAPPORT_PORT_BASE")
    require_free({"gateway": port}, "RAPPORT_PORT_BASE")


def test_free_ports_are_never_in_the_range_that_clients_are_given() -> None:
    assert all(20_000 <= free_port() < 30_000 for _ in range(20))


def test_a_port_book_keeps_its_ports_and_replaces_one_that_others_took(tmp_path: Path) -> None:
    first = PortBook(tmp_path / "ports").port("kafka", keep=False)
    assert PortBook(tmp_path / "ports").port("kafka", keep=False) == first
    with listening_socket(first):
        assert PortBook(tmp_path / "ports").port("kafka", keep=True) == first
        assert PortBook(tmp_path / "ports").port("kafka", keep=False) != first


def test_the_ports_of_the_processes_move_together() -> None:
    assert default_ports({})["gateway"] == 8080
    assert sorted(default_ports({"RAPPORT_PORT_BASE": "9000"}).values()) == [9000, 9001, 9002, 9003, 9004, 9005]
    with pytest.raises(LocalStackError, match="must be a port number"):
        default_ports({"RAPPORT_PORT_BASE": "web"})


def test_the_lock_names_each_jar_once_with_its_digest(tmp_path: Path) -> None:
    jars = read_lock()
    assert len({jar.file_name for jar in jars}) == len(jars) == 46
    (tmp_path / "kafka.lock").write_text("org.apache.kafka:kafka-clients sha256:00\n")
    with pytest.raises(LocalStackError, match="not a locked jar"):
        read_lock(tmp_path / "kafka.lock")


def test_the_wheels_have_a_java_and_a_postgres_of_their_own() -> None:
    assert java_program(system=False).is_file()
    programs = postgres_programs(system=False)
    assert programs.from_wheel
    assert programs.version >= OLDEST_POSTGRES


def test_a_place_in_a_private_home_is_replaced_by_one_that_the_account_reaches(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / "wheel").mkdir(parents=True)
    (home / "wheel" / "postgres").write_text("program")
    home.chmod(0o700)
    if os.geteuid() != STRANGER.user:
        assert not is_reachable(home / "wheel", STRANGER)
    assert is_reachable(home / "wheel", None)
    assert reachable_place(home / "wheel", None) == home / "wheel"
    place = reachable_place(home / "data", STRANGER)
    assert is_reachable(place, STRANGER)
    assert place == reachable_place(home / "data", STRANGER)
    place.parent.rmdir()


def test_programs_in_a_private_home_are_copied_once(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / "wheel").mkdir(parents=True)
    (home / "wheel" / "postgres").write_text("program")
    home.chmod(0o700)
    place = readable_copy(home, STRANGER, ("wheel",))
    try:
        assert is_reachable(place / "wheel" / "postgres", STRANGER)
        assert (place / "wheel" / "postgres").read_text() == "program"
        assert readable_copy(home, STRANGER, ("wheel",)) == place
    finally:
        (place / "wheel" / "postgres").unlink()
        (place / "wheel").rmdir()
        place.rmdir()
        place.parent.rmdir()


def test_secrets_are_kept_and_nobody_else_can_read_them(tmp_path: Path) -> None:
    file = tmp_path / "secrets.json"
    secret = SecretBook(file).secret("tokens")
    assert len(secret) >= 32
    assert SecretBook(file).secret("tokens") == secret
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.fixture
def docker_calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A docker that notes how it was called, in the file that is given."""
    calls = tmp_path / "calls"
    program = tmp_path / "docker"
    program.write_text(f'#!/bin/sh\necho "$@" >> {calls}\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return calls


async def test_a_container_is_broken_and_mended_by_its_name(docker_calls: Path) -> None:
    asked = []

    async def answers() -> None:
        asked.append(True)

    server = ContainerServer("kafka", "rapport-1-kafka", "127.0.0.1:1", answers)
    for action in (server.kill, server.pause, server.resume, server.restart, server.stop):
        await action()
    assert docker_calls.read_text().splitlines() == [
        "kill --signal KILL rapport-1-kafka",
        "pause rapport-1-kafka",
        "unpause rapport-1-kafka",
        "restart -t 20 rapport-1-kafka",
        "stop -t 20 rapport-1-kafka",
    ]
    assert asked == [True]


async def test_docker_without_an_engine_is_not_available(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "docker"
    program.write_text("#!/bin/sh\necho 'Cannot connect to the Docker daemon' >&2; exit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not await is_available()


async def test_an_unknown_rung_is_refused_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(LocalStackError, match="given, docker, local, wheels"):
        async with infrastructure(tmp_path, environment={"RAPPORT_INFRASTRUCTURE": "podman"}):
            pass
