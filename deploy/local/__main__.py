"""`python -m deploy.local run | stop | logs | reset | migrate`: Rapport on this machine."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from deploy.local.demo import load_demo
from deploy.local.errors import LocalStackError
from deploy.local.infrastructure import CHECKOUT, DirectoryInUseError, infrastructure, reset, sole_user
from deploy.local.ports import LOOPBACK, require_free
from deploy.local.processes import end_recorded
from deploy.local.services import apply_topics, migrate
from deploy.local.stack import (
    PORT_BASE_SETTING,
    Stack,
    default_ports,
    prepare,
    read_addresses,
    read_key,
    running_stack,
)

HOME = CHECKOUT / ".rapport" / "run"
_STOP_SECONDS = 60
_SHOWN = HOME / "shown-customer"


def main() -> None:
    """The entry point."""
    parser = ArgumentParser(prog="python -m deploy.local", description="Rapport on this machine.")
    commands = parser.add_subparsers(required=True)
    for name, work, text in (
        ("run", _run, "start everything and load the demo; Ctrl-C stops it"),
        ("stop", _stop, "stop what run started"),
        ("logs", _logs, "follow the logs"),
        ("reset", _reset, "stop, and remove all data"),
        ("migrate", _migrate, "apply topics and migrations"),
    ):
        command = commands.add_parser(name, help=text)
        command.set_defaults(work=work)
        if name == "logs":
            command.add_argument("name", nargs="?", help="one service")
        if name == "run":
            command.add_argument(
                "--purchases", type=int, default=None, help="how many purchases of the web shop to load"
            )
    chosen = parser.parse_args()
    try:
        asyncio.run(chosen.work(chosen))
    except LocalStackError as error:
        sys.exit(f"\n{error}")
    except KeyboardInterrupt:
        pass


@contextmanager
def _step(title: str) -> Iterator[None]:
    print(f"  {title:<34}", end="", flush=True)
    began = time.monotonic()
    yield
    print(f"{time.monotonic() - began:6.1f} s", flush=True)


async def _run(chosen: Namespace) -> None:
    try:
        await _end_leftover_services()
    except DirectoryInUseError as running:
        print(f"Rapport runs already, as process {running.holder}.")
        _tell_where(default_ports())
    else:
        await _start(chosen)


async def _end_leftover_services() -> None:
    """Ends the services of a run that was killed, for they hold the ports; Kafka and PostgreSQL are taken over."""
    with sole_user(HOME):
        ended = await end_recorded(HOME / "pids" / "services")
    if ended:
        _say(f"ended what a killed run had left: {', '.join(ended)}")


def _tell_where(ports: Mapping[str, int]) -> None:
    gateway = f"http://{LOOPBACK}:{ports['gateway']}"
    key = read_key(HOME)
    if key is None:
        print("It is still starting: `make status` shows how far it is, `make logs` what it says.")
        return
    shown = _SHOWN.read_text().split() if _SHOWN.exists() else []
    _print_doors(gateway, key, shown)


def _print_doors(gateway: str, key: str, shown: Sequence[str]) -> None:
    """`shown` are the customer to look at first, and the one whose value to look at."""
    print(f"\n  gateway    {gateway}\n  API page   {gateway}/docs\n  key        {key}\n")
    if shown:
        bearer = f'curl -H "Authorization: Bearer {key}" {gateway}'
        print(f"  a customer           {bearer}/v1/customers/{shown[0]}")
        print(f"  who may be the same  {bearer}/v1/merge-candidates")
        print(f"  what is to be done   {bearer}/v1/tickets")
        print(f"  a company's value    {bearer}/v1/customers/{shown[-1]}/value")
        print(f"  the most valuable    {bearer}/v1/value/ranking  (computed after loading: in a minute or so)\n")
    print("  Ctrl-C where it was started stops everything, or `make stop` from elsewhere.", flush=True)


async def _start(chosen: Namespace) -> None:
    print("Rapport is starting")
    asked = _cancel_when_asked_to_stop()
    try:
        await _run_until_cancelled(chosen)
    except asyncio.CancelledError:
        if not asked.is_set():
            raise
        print("Rapport is stopped", flush=True)


def _cancel_when_asked_to_stop() -> asyncio.Event:
    """Lets the first Ctrl-C, SIGTERM or hang-up cancel the calling task; those that follow do not hurry it."""
    asked = asyncio.Event()
    task = asyncio.current_task()

    def stop() -> None:
        if task is not None and not asked.is_set():
            asked.set()
            print("\nStopping", flush=True)
            task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stop)
    return asked


async def _run_until_cancelled(chosen: Namespace) -> None:
    ports = default_ports()
    require_free(ports, PORT_BASE_SETTING)
    began = time.monotonic()
    async with infrastructure(HOME, report=_say) as found:
        print(f"  {'Kafka and PostgreSQL (' + found.rung + ')':<34}{time.monotonic() - began:6.1f} s", flush=True)
        async with running_stack(found, HOME, ports, step=_step, report=_say) as stack:
            await _show(stack, chosen.purchases)
            await asyncio.Event().wait()


async def _show(stack: Stack, purchases: int | None) -> None:
    began = time.monotonic()
    report = await load_demo(stack.gateway, stack.key, _progress, purchases=purchases)
    print(f"\r  {'the demo' if report.loaded else 'the demo (it was there)':<34}{time.monotonic() - began:6.1f} s")
    shown = (report.customer_id, report.valued_id)
    _SHOWN.write_text(" ".join(shown))
    _print_doors(stack.gateway, stack.key, shown)


def _progress(what: str, done: int, total: int) -> None:
    width = 24
    filled = width * done // total
    print(f"\r  loading the demo [{'#' * filled}{'.' * (width - filled)}] {done}/{total} {what}", end="", flush=True)


async def _stop(_: Namespace) -> None:
    try:
        await _end_leftovers()
    except DirectoryInUseError as running:
        os.kill(int(running.holder), signal.SIGTERM)
        deadline = time.monotonic() + _STOP_SECONDS
        while _holds(int(running.holder)):
            if time.monotonic() > deadline:
                raise LocalStackError(f"process {running.holder} does not end; see {HOME / 'logs'}") from None
            await asyncio.sleep(0.1)
    print("Rapport is stopped")


async def _end_leftovers() -> None:
    async with asyncio.timeout(_STOP_SECONDS):
        if (HOME / "pids").exists():
            with sole_user(HOME):
                await end_recorded(HOME)


def _holds(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def _reset(chosen: Namespace) -> None:
    await _stop(chosen)
    await reset(HOME)
    print("its data are removed")


async def _migrate(_: Namespace) -> None:
    try:
        async with infrastructure(HOME, report=_say) as found:
            await prepare(found, HOME, default_ports(), step=_step)
    except DirectoryInUseError:
        addresses = read_addresses(HOME)
        if addresses is None:
            raise LocalStackError("Rapport is just starting for the first time; it applies migrations itself") from None
        with _step("topics"):
            await apply_topics(addresses.kafka)
        with _step("migrations"):
            await migrate(addresses)


async def _logs(chosen: Namespace) -> None:
    logs = HOME / "logs"
    files = [logs / f"{chosen.name}.log"] if chosen.name else sorted(logs.glob("*.log"))
    if not files or not all(file.exists() for file in files):
        raise LocalStackError(f"there is no such log in {logs}")
    process = await asyncio.create_subprocess_exec("tail", "-n", "50", "-F", *map(str, files))
    await process.wait()


def _say(line: str) -> None:
    print(f"  {line}", flush=True)


if __name__ == "__main__":
    main()
