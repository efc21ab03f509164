"""Apache Kafka's jars: exactly those of `kafka.lock`, fetched once, their digests compared at every start."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from deploy.local.errors import LocalStackError

__all__ = ["LOCK", "LockedJar", "kafka_jars", "read_lock"]

LOCK = Path(__file__).with_name("kafka.lock")

_THREADS = 8


@dataclass(frozen=True, slots=True)
class LockedJar:
    """One line of the lock: coordinates and the SHA-256 of the file."""

    group: str
    artifact: str
    version: str
    digest: str

    @property
    def file_name(self) -> str:
        return f"{self.artifact}-{self.version}.jar"


def read_lock(lock: Path = LOCK) -> list[LockedJar]:
    """The jars of a lock; raises LocalStackError for a line that is not `group:artifact:version sha256:digest`."""
    jars = []
    for line in lock.read_text().splitlines():
        coordinates, _, digest = line.partition(" sha256:")
        if coordinates.count(":") != 2 or len(digest) != 64:
            raise LocalStackError(f"{lock.name}: not a locked jar: {line!r}")
        group, artifact, version = coordinates.split(":")
        jars.append(LockedJar(group, artifact, version, digest))
    return jars


def kafka_jars(cache: Path, report: Callable[[str], None], lock: Path = LOCK) -> Path:
    """The directory of the locked jars, complete and checked; what is missing or damaged is fetched.

    Blocks, for seconds when it has to fetch. Several processes may share `cache`. Raises LocalStackError when a
    jar cannot be had or is not the locked one.
    """
    jars = read_lock(lock)
    directory = cache / f"kafka-{hashlib.sha256(lock.read_bytes()).hexdigest()[:12]}"
    directory.mkdir(parents=True, exist_ok=True)
    missing = [jar for jar in jars if _digest(directory / jar.file_name) != jar.digest]
    if missing:
        report(f"fetching {len(missing)} of Kafka's {len(jars)} jars")
        with (
            tempfile.TemporaryDirectory(dir=directory, prefix="fetch-") as scratch,
            ThreadPoolExecutor(_THREADS) as threads,
        ):
            list(threads.map(lambda jar: _fetch(jar, directory, Path(scratch)), missing))
    return directory


def _fetch(jar: LockedJar, directory: Path, scratch: Path) -> None:
    # Imported here, for only a machine without the jars needs it.
    from jgo.maven import MavenContext

    context = MavenContext(repo_cache=scratch)
    try:
        component = context.project(jar.group, jar.artifact).at_version(jar.version)
        fetched = Path(component.artifact().resolve())
    except Exception as error:
        raise LocalStackError(
            f"{jar.group}:{jar.artifact}:{jar.version} cannot be fetched ({error}). "
            "The local stack needs Maven Central once; or give RAPPORT_KAFKA an address, or start Docker."
        ) from error
    found = _digest(fetched)
    if found != jar.digest:
        raise LocalStackError(f"{jar.file_name} is not the locked file: SHA-256 {found}, locked {jar.digest}")
    partial = directory / f"{jar.file_name}.{os.getpid()}.partial"
    shutil.move(fetched, partial)
    partial.replace(directory / jar.file_name)


def _digest(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return None
