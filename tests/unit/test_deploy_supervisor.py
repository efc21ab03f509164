"""The supervisor starts again what dies, leaves down what is to stay down, and ends everything by its id."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from deploy.local.errors import LocalStackError
from deploy.local.ports import free_port
from deploy.local.supervisor import Backoff, Program, Supervisor

SERVER = """
import http.server, sys
class Ready(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(b"ready")
    def log_message(self, *arguments): pass
print("serving", flush=True)
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Ready).serve_forever()
"""
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
SLEEPER = "import time; print('up', flush=True); time.sleep(60)"
BROKEN = "raise SystemExit('no database')"
QUICK = Backoff(first_seconds=0.05, most_seconds=0.4, recovered_after_seconds=5)


def program(name: str, code: str, *arguments: str) -> Program:
    return Program(name, (sys.executable, "-c", code, *arguments), {})


async def until(condition: Callable[[], bool], limit_seconds: float = 10) -> None:
    deadline = time.monotonic() + limit_seconds
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


def is_running(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def test_what_dies_is_started_again_and_ready_again(tmp_path: Path) -> None:
    port = free_port()
    lines: list[str] = []
    async with Supervisor(
        [program("web", SERVER, str(port))], tmp_path, backoff=QUICK, report=lines.append
    ) as supervisor:
        supervisor.start("web")
        await supervisor.wait_ready(f"http://127.0.0.1:{port}/readyz")
        first = supervisor.pid("web")
        await supervisor.kill("web")
        await until(lambda: supervisor.pid("web") not in (None, first))
        await supervisor.wait_ready(f"http://127.0.0.1:{port}/readyz")
        last = supervisor.pid("web")
        assert supervisor.restarts("web") == 1
    assert lines == ["web ended with SIGKILL; starting it again in 0.05 s"]
    assert last is not None
    assert not is_running(last)
    assert (tmp_path / "logs" / "web.log").read_text() == "serving\nserving\n"
    assert not list((tmp_path / "pids").rglob("*.pid"))


async def test_what_is_to_stay_down_stays_down_until_it_is_started(tmp_path: Path) -> None:
    async with Supervisor([program("sleeper", SLEEPER)], tmp_path, backoff=QUICK) as supervisor:
        supervisor.start("sleeper")
        await supervisor.kill("sleeper", stay_down=True)
        await asyncio.sleep(0.3)
        assert supervisor.pid("sleeper") is None
        supervisor.start("sleeper")
        assert supervisor.pid("sleeper") is not None


async def test_a_frozen_program_is_not_taken_for_dead_and_is_ended_all_the_same(tmp_path: Path) -> None:
    async with Supervisor([program("sleeper", SLEEPER)], tmp_path, backoff=QUICK) as supervisor:
        supervisor.start("sleeper")
        pid = supervisor.pid("sleeper")
        assert pid is not None
        await supervisor.kill("sleeper", signal.SIGSTOP)
        await asyncio.sleep(0.2)
        assert psutil.Process(pid).status() == psutil.STATUS_STOPPED
        assert (supervisor.pid("sleeper"), supervisor.restarts("sleeper")) == (pid, 0)
    assert not is_running(pid)


async def test_one_that_ignores_the_request_to_end_is_killed_past_the_limit(tmp_path: Path) -> None:
    supervisor = Supervisor([program("stubborn", STUBBORN)], tmp_path, drain_seconds=0.3)
    async with supervisor:
        supervisor.start("stubborn")
        await until(lambda: "up" in supervisor.log("stubborn").read_text())
        pid = supervisor.pid("stubborn")
    assert pid is not None
    assert not is_running(pid)


async def test_one_that_cannot_start_is_tried_ever_more_rarely_and_its_last_words_are_told(tmp_path: Path) -> None:
    lines: list[str] = []
    async with Supervisor([program("broken", BROKEN)], tmp_path, backoff=QUICK, report=lines.append) as supervisor:
        supervisor.start("broken")
        await until(lambda: len(lines) >= 5)
        with pytest.raises(LocalStackError, match="no database"):
            await supervisor.wait_ready(f"http://127.0.0.1:{free_port()}/readyz", limit_seconds=0.1)
    assert [line.rpartition("in ")[2] for line in lines[:5]] == ["0.05 s", "0.1 s", "0.2 s", "0.4 s", "0.4 s"]


async def test_what_a_killed_run_left_is_ended_by_the_next(tmp_path: Path) -> None:
    first = Supervisor([program("sleeper", SLEEPER)], tmp_path)
    first.start("sleeper")
    left = first.pid("sleeper")
    assert left is not None
    lines: list[str] = []
    async with Supervisor([program("sleeper", SLEEPER)], tmp_path, report=lines.append):
        assert not is_running(left)
    assert lines == ["ended what an earlier run had left: sleeper"]
    await first.stop("sleeper")


async def test_a_record_whose_id_is_another_process_by_now_ends_nobody(tmp_path: Path) -> None:
    async with Supervisor([program("sleeper", SLEEPER)], tmp_path) as supervisor:
        supervisor.start("sleeper")
        record = tmp_path / "pids" / "services" / "sleeper.pid"
        stale = record.read_text()
        alive = supervisor.pid("sleeper")
        assert alive is not None
        other = tmp_path / "other"
        (other / "pids" / "services").mkdir(parents=True)
        created = str(psutil.Process(alive).create_time())
        (other / "pids" / "services" / "sleeper.pid").write_text(stale.replace(created, "1000000000.0"))
        async with Supervisor([], other):
            assert is_running(alive)
