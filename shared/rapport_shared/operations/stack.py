"""Which stack a command speaks of: the one that options or settings name, else the local one of this checkout."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, urlsplit

from rapport_shared.messaging.topics import LOCAL_PARTITIONS, PRODUCTION_PARTITIONS

LOCAL_STACK: Final = Path(".rapport") / "run" / "addresses.json"
PROCESSES: Final = ("gateway", "gateway-view", "customer", "interaction", "ticket", "scoring")
_LOOPBACK: Final = "127.0.0.1"


class WrongUsage(Exception):
    """The command cannot be understood. The message says how to give it."""


@dataclass(frozen=True, slots=True)
class NamedStack:
    """The servers of one stack, as far as they are named; `origin` says where they were named.

    `databases` are addresses by service, `processes` the base URLs of HTTP APIs.
    """

    origin: str
    kafka: str | None
    databases: Mapping[str, str]
    processes: Mapping[str, str]
    partitions: int

    def require_kafka(self) -> str:
        """The bootstrap servers. Raises `WrongUsage` when none are named."""
        if self.kafka is None:
            raise WrongUsage("No Kafka is named: give --kafka, or set RAPPORT_KAFKA.")
        return self.kafka

    def require_databases(self) -> Mapping[str, str]:
        """The databases. Raises `WrongUsage` when none is named."""
        if not self.databases:
            raise WrongUsage("No database is named: give --database, or set RAPPORT_DATABASE.")
        return self.databases

    def require_processes(self) -> Mapping[str, str]:
        """The processes. Raises `WrongUsage` when none is named."""
        if not self.processes:
            variables = ", ".join(url_variable(process) for process in PROCESSES)
            raise WrongUsage(f"No process is named: give --process NAME=URL, or set {variables}.")
        return self.processes

    def __str__(self) -> str:
        named = [f"Kafka {self.kafka}" if self.kafka else "", _listed("database", self.databases)]
        named.append("" if self.databases else _listed("process", self.processes))
        return f"{self.origin} ({'; '.join(part for part in named if part) or 'nothing is named'})"


def find_stack(
    *,
    kafka: str | None = None,
    databases: Sequence[str] = (),
    processes: Sequence[str] = (),
    partitions: int | None = None,
    local: bool = False,
    environment: Mapping[str, str] = os.environ,
    directory: Path | None = None,
) -> NamedStack:
    """The stack that is named, else the one that `make run` made in `directory` or a folder above.

    What is given here comes before the settings of the environment. `local` passes both over. Raises `WrongUsage`.
    """
    named = None if local else _named(kafka, databases, processes, environment)
    found = named or _local(directory or Path.cwd())
    if found is None:
        where = "There is no local stack here or in a folder above" if local else "No stack is named, and none is here"
        raise WrongUsage(
            f"{where}: set RAPPORT_KAFKA and RAPPORT_DATABASE, give --kafka and --database, "
            "or run this in a checkout in which `make run` was started."
        )
    return NamedStack(
        found.origin, found.kafka, found.databases, found.processes, partitions or _partitions(environment, found)
    )


def url_variable(process: str) -> str:
    """The setting that says where a process's HTTP API is."""
    return f"RAPPORT_{process.upper().replace('-', '_')}_URL"


def _named(
    kafka: str | None, databases: Sequence[str], processes: Sequence[str], environment: Mapping[str, str]
) -> NamedStack | None:
    by_options = bool(kafka or databases or processes)
    servers = _servers(kafka or environment.get("RAPPORT_KAFKA"))
    dsns = list(databases) or [dsn for dsn in [environment.get("RAPPORT_DATABASE")] if dsn]
    urls = _given_urls(processes) or {
        process: url for process in PROCESSES if (url := environment.get(url_variable(process)))
    }
    if not (servers or dsns or urls):
        return None
    origin = "named by options and settings" if by_options else "named by RAPPORT_ settings"
    return NamedStack(origin, servers, _by_service(dsns), urls, 0)


def _given_urls(given: Sequence[str]) -> dict[str, str]:
    urls: dict[str, str] = {}
    for text in given:
        name, separator, url = text.partition("=")
        if not separator or urlsplit(url).scheme not in ("http", "https"):
            raise WrongUsage(f"--process must be NAME=URL, as in gateway=http://127.0.0.1:8080; it is {text!r}.")
        urls[name] = url
    return urls


def _by_service(dsns: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for dsn in dsns:
        parts = urlsplit(dsn)
        name = parts.path.lstrip("/").removeprefix("rapport_")
        if parts.scheme not in ("postgres", "postgresql") or not name or not _has_port(parts):
            raise WrongUsage("A database must be given as postgresql://user:password@host:port/name.")
        if name in found:
            raise WrongUsage(f"Two databases are called {name}.")
        found[name] = dsn
    return found


def _has_port(parts: SplitResult) -> bool:
    """Whether the port of an address, if it names one, is a port."""
    try:
        return parts.port is None or parts.port > 0
    except ValueError:
        return False


def _servers(text: str | None) -> str | None:
    for address in (text or "").split(","):
        if address.strip() and not _has_port(urlsplit(f"//{address.strip()}")):
            raise WrongUsage(f"Kafka must be given as host:port, several separated by commas; it is {text!r}.")
    return text or None


def _local(directory: Path) -> NamedStack | None:
    for folder in (directory, *directory.parents):
        file = folder / LOCAL_STACK
        if file.is_file():
            try:
                found = json.loads(file.read_text())
                urls = {process: f"http://{_LOOPBACK}:{port}" for process, port in found["ports"].items()}
                return NamedStack(f"the local stack of {folder}", found["kafka"], found["databases"], urls, 0)
            except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
                raise WrongUsage(f"{file} cannot be read ({type(error).__name__}): start `make run` again.") from error
    return None


def _partitions(environment: Mapping[str, str], found: NamedStack) -> int:
    local = found.origin.startswith("the local stack") or environment.get("RAPPORT_ENVIRONMENT") == "local"
    text = environment.get("RAPPORT_PARTITIONS") or str(LOCAL_PARTITIONS if local else PRODUCTION_PARTITIONS)
    if not text.isdecimal() or not int(text):
        raise WrongUsage(f"RAPPORT_PARTITIONS is {text!r}; it must be a number from 1.")
    return int(text)


def _listed(kind: str, names: Mapping[str, str]) -> str:
    if not names:
        return ""
    plural = {"database": "databases", "process": "processes"}[kind] if len(names) > 1 else kind
    return f"{plural} {', '.join(names)}"
