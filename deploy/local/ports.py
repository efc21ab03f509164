"""Ports of the loopback interface: free ones, and who holds a taken one."""

from __future__ import annotations

import json
import random
import socket
from collections.abc import Iterable
from pathlib import Path

import psutil

from deploy.local.errors import LocalStackError

__all__ = ["LOOPBACK", "PortBook", "free_port", "is_free", "port_holder", "require_free"]

LOOPBACK = "127.0.0.1"

# Below every system's ephemeral range: a client that retries against a killed server could otherwise be given
# the server's own port as its source, connect to itself, and keep the server from coming back.
_CANDIDATES = range(20_000, 30_000)


def is_free(port: int) -> bool:
    """Whether a server could listen on this port of the loopback interface now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def free_port(taken: Iterable[int] = ()) -> int:
    """A free port outside the ephemeral range and not among `taken`; raises LocalStackError when none is left."""
    excluded = set(taken)
    for candidate in random.sample(_CANDIDATES, len(_CANDIDATES)):
        if candidate not in excluded and is_free(candidate):
            return candidate
    raise LocalStackError(f"no free port between {_CANDIDATES.start} and {_CANDIDATES.stop - 1}")


def port_holder(port: int) -> str:
    """The process that listens on this port, as "pid 123 (command)", as far as the system lets us see it."""
    try:
        connections = psutil.net_connections(kind="tcp")
    except psutil.AccessDenied:
        return "a process that this account may not see"
    for connection in connections:
        listens = connection.status == psutil.CONN_LISTEN and connection.laddr[1:] == (port,)
        if listens and connection.pid is not None:
            return _describe(connection.pid)
    return "a process that this account may not see"


def _describe(pid: int) -> str:
    try:
        command = " ".join(psutil.Process(pid).cmdline())
    except psutil.Error:
        return f"pid {pid}"
    return f"pid {pid} ({command[:120]})"


def require_free(ports: dict[str, int], setting: str) -> None:
    """Raises LocalStackError naming every taken port, its holder, and the setting that moves the ports."""
    taken = [
        f"port {port} ({name}) is held by {port_holder(port)}" for name, port in ports.items() if not is_free(port)
    ]
    if taken:
        raise LocalStackError("; ".join(taken) + f". End it, or move Rapport with {setting}=<first port>.")


class PortBook:
    """Ports by name, chosen free once and kept in a file, so that a restart and a later run find them again."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._ports: dict[str, int] = json.loads(file.read_text()) if file.exists() else {}

    def port(self, name: str, *, keep: bool) -> int:
        """The port of this name; with `keep` its holder is ours, else a port taken meanwhile is replaced."""
        port = self._ports.get(name)
        if port is None or not (keep or is_free(port)):
            port = self._ports[name] = free_port(self._ports.values())
            self._file.write_text(json.dumps(self._ports))
        return port
