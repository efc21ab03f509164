"""The account that PostgreSQL runs under, for it refuses to run as root."""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from deploy.local.errors import LocalStackError

__all__ = [
    "Account",
    "hand_over",
    "is_reachable",
    "reachable_place",
    "readable_copy",
    "remove_place",
    "unprivileged_account",
]


@dataclass(frozen=True, slots=True)
class Account:
    """A system account to drop to."""

    name: str
    user: int
    group: int


def unprivileged_account() -> Account | None:
    """The account to drop to when we are root, None when we are not and can stay who we are."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name, entry.pw_uid, entry.pw_gid)
    raise LocalStackError("PostgreSQL refuses to run as root and there is neither a 'postgres' nor a 'nobody' account")


def hand_over(path: Path, account: Account | None) -> None:
    """Makes `path` and all below it the account's own; nothing to do when we drop to nobody."""
    if account is None:
        return
    os.chown(path, account.user, account.group)
    for child in path.rglob("*"):
        os.chown(child, account.user, account.group, follow_symlinks=False)


def _may_enter(directory: Path, account: Account) -> bool:
    entry = directory.stat()
    if entry.st_uid == account.user:
        return bool(entry.st_mode & stat.S_IXUSR)
    if entry.st_gid == account.group:
        return bool(entry.st_mode & stat.S_IXGRP)
    return bool(entry.st_mode & stat.S_IXOTH)


def is_reachable(path: Path, account: Account | None) -> bool:
    """Whether the account may enter every directory above `path`."""
    return account is None or all(_may_enter(parent, account) for parent in path.resolve().parents)


def reachable_place(path: Path, account: Account | None) -> Path:
    """`path` itself, or, where the account cannot get to it (a checkout in root's home), a stand-in for it.

    The stand-in is a directory under /var/tmp whose name follows from `path`, so it is found again.
    """
    if is_reachable(path, account):
        return path
    name = hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:16]
    stand_in = Path("/var/tmp") / f"rapport-{name}"
    stand_in.mkdir(mode=0o755, exist_ok=True)
    if stand_in.stat().st_uid != os.geteuid():
        raise LocalStackError(f"{stand_in} belongs to somebody else")
    return stand_in / path.name


def remove_place(path: Path, account: Account | None) -> None:
    """Removes what was kept at `reachable_place`, a stand-in included; harmless where there is nothing."""
    place = reachable_place(path, account)
    shutil.rmtree(place, ignore_errors=True)
    if place != path:
        with suppress(OSError):
            place.parent.rmdir()


def readable_copy(tree: Path, account: Account | None, names: tuple[str, ...]) -> Path:
    """`tree`, or a copy of its `names` at a place that the account can reach; returns the directory to use."""
    if is_reachable(tree / "any", account):
        return tree
    place = reachable_place(tree, account)
    for name in names:
        if not (place / name).exists():
            partial = place / f"{name}.partial"
            shutil.rmtree(partial, ignore_errors=True)
            shutil.copytree(tree / name, partial, symlinks=True)
            partial.rename(place / name)
    return place
