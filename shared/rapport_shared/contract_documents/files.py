"""Generated files: written, or compared with what is committed."""

import difflib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[3]


@dataclass(frozen=True, slots=True)
class Documents:
    """What should be: the text of files by their path in the repository.

    `folders` hold nothing else: a file there that is not among them is left over from a contract that is gone.
    """

    texts: Mapping[str, str]
    folders: Sequence[str] = ()


def json_text(value: Any) -> str:
    """`value` as people read it in a diff: indented, in the order it has, in its own script."""
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"


def write(documents: Documents, repository: Path = REPOSITORY) -> list[str]:
    """Writes what differs and removes what is left over; answers the paths."""
    stale = list(_left_over(documents, repository))
    for path in stale:
        (repository / path).unlink()
    changed = [path for path, text in documents.texts.items() if _committed(repository / path) != text]
    for path in changed:
        (repository / path).parent.mkdir(parents=True, exist_ok=True)
        (repository / path).write_text(documents.texts[path], encoding="utf-8")
    return sorted(stale + changed)


def differences(documents: Documents, repository: Path = REPOSITORY) -> str:
    """A unified diff from the files that are there to what they should be; empty where all is as it should be."""
    wanted = dict.fromkeys(_left_over(documents, repository), "") | dict(documents.texts)
    return "".join(
        line if line.endswith("\n") else f"{line}\n"
        for path in sorted(wanted)
        for line in difflib.unified_diff(
            _committed(repository / path).splitlines(keepends=True),
            wanted[path].splitlines(keepends=True),
            path,
            f"{path} (generated)",
        )
    )


def _committed(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def _left_over(documents: Documents, repository: Path) -> Iterator[str]:
    for folder in documents.folders:
        for path in (repository / folder).rglob("*"):
            name = path.relative_to(repository).as_posix()
            if path.is_file() and name not in documents.texts:
                yield name
