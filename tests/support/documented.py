"""Examples of the documentation, run as a reader would run them, without a shell.

The first word of a fenced block's info string is its language, the rest says what becomes of the block:

    bash               calls of `curl`, which must answer 2xx, and of `rapport`, which must end well
    bash 413           the calls must answer 413
    python             a program of its own, which must end well
    json touchpoint    a touchpoint, which must be accepted and be recorded
    json answer        the last call answered at least this
    text output        the last program printed this
    … not-run          shown, not run: the tests list each by its first line
    text               a picture

In an answer or an output `…` stands for anything, at the end of a list for more of it. Blocks of a page are run in
order and share their variables: those given, and those that `NAME=$(curl … | jq -r .path)` sets.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import shlex
import sys
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import httpx

__all__ = ["Block", "Reader", "blocks"]

ANYTHING = "…"
PICTURE = "text"
NOT_RUN = "not-run"
IN_A_BROWSER = "js"
PROGRAM_SECONDS = 120

_FENCE = re.compile(r"^```(?P<info>[^\n`]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_ASSIGNMENT = re.compile(r"(\w+)=\$\((.+) \| jq -r (\S+)\)", re.DOTALL)
_VARIABLE = re.compile(r"\$(\w+)")

_CURL = ArgumentParser(prog="curl", add_help=False)
_CURL.add_argument("-s", action="store_true")
_CURL.add_argument("-X", dest="method")
_CURL.add_argument("-H", dest="headers", action="append", default=[])
_CURL.add_argument("-d", "--data-binary", dest="body")
_CURL.add_argument("url")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block and where it stands."""

    page: str
    line: int
    info: str
    text: str

    @property
    def is_run(self) -> bool:
        """Whether it is run or compared here; a script has a test in a browser, a picture is shown only."""
        return self.info not in (PICTURE, IN_A_BROWSER) and NOT_RUN not in self.info.split()

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def blocks(page: Path, root: Path) -> list[Block]:
    """The fenced blocks of a page, in order."""
    text = page.read_text(encoding="utf-8")
    name = str(page.relative_to(root))
    return [
        Block(name, text.count("\n", 0, found.start()) + 1, found["info"], found["text"])
        for found in _FENCE.finditer(text)
    ]


@dataclass(slots=True)
class Reader:
    """Somebody who runs the examples of one page, with what they have in hand."""

    client: httpx.AsyncClient
    variables: dict[str, str]
    environment: Mapping[str, str]
    answered: httpx.Response | None = field(default=None)
    printed: str = field(default="")

    async def follow(self, block: Block) -> None:
        """Runs a block, or compares it with what came of the one before; fails with the block's place."""
        match block.info.split():
            case ["bash"]:
                await self._run(block, None)
            case ["bash", status]:
                await self._run(block, int(status))
            case ["python"]:
                self.printed = await self._program(block, sys.executable, "-c", block.text)
            case ["json", "touchpoint"]:
                await self._report(block)
            case ["json", "answer"]:
                assert self.answered is not None, f"{block}: nothing was answered yet"
                compare(block, self.answered.json(), json.loads(block.text), "")
            case ["text", "output"]:
                self._compare_lines(block)
            case _:
                raise AssertionError(f"{block}: what is to become of `{block.info}`?")

    async def _run(self, block: Block, status: int | None) -> None:
        for command in commands(block.text):
            assigned = _ASSIGNMENT.fullmatch(command)
            words = shlex.split(self._filled_in(block, assigned[2] if assigned else command), comments=True)
            if words[0] == "rapport":
                self.printed = await self._program(block, str(Path(sys.executable).with_name("rapport")), *words[1:])
                continue
            assert words[0] == "curl", f"{block}: {words[0]} is not understood"
            await self._curl(block, words[1:], status)
            if assigned:
                self.variables[assigned[1]] = self._picked(block, assigned[3])

    def _filled_in(self, block: Block, command: str) -> str:
        quoted = command.split("'")[1::2]
        assert not any("$" in text for text in quoted), f"{block}: a shell fills in nothing in single quotes"
        return _VARIABLE.sub(lambda found: self.variables[found[1]], command)

    async def _curl(self, block: Block, words: list[str], status: int | None) -> None:
        asked = _CURL.parse_args(words)
        headers = [tuple(header.split(": ", 1)) for header in asked.headers]
        if asked.body is not None and not any(name.lower() == "content-type" for name, _ in headers):
            headers.append(("Content-Type", "application/x-www-form-urlencoded"))
        method = asked.method or ("GET" if asked.body is None else "POST")
        await self._call(block, status, method, asked.url, content=asked.body, headers=headers)

    async def _call(self, block: Block, status: int | None, method: str, url: str, **request: Any) -> None:
        self.answered = await self.client.request(method, url, **request)
        good = self.answered.is_success if status is None else self.answered.status_code == status
        assert good, f"{block}: {method} {url}: {self.answered.status_code} {self.answered.text}"

    def _picked(self, block: Block, path: str) -> str:
        assert self.answered is not None
        found = self.answered.json()
        for step in re.findall(r"[^.\[\]]+", path):
            found = found[int(step) if isinstance(found, list) else step]
        assert isinstance(found, str | int), f"{block}: {path} is {found!r}"
        return str(found)

    async def _report(self, block: Block) -> None:
        headers = {"Authorization": f"Bearer {self.variables['KEY']}"}
        url = f"{self.variables['GATEWAY']}/v1/touchpoints"
        touchpoint = json.loads(block.text)
        await self._call(block, 202, "POST", url, json=touchpoint, headers=headers)
        await self._call(block, 200, "GET", f"{url}/{touchpoint['id']}?wait_ms=30000", headers=headers)
        assert self.answered is not None
        assert self.answered.json()["state"] in ("recorded", "anonymous"), f"{block}: {self.answered.text}"

    async def _program(self, block: Block, *command: str) -> str:
        process = await asyncio.create_subprocess_exec(
            *command,
            env={**os.environ, **self.environment, **self.variables},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            printed, complaint = await asyncio.wait_for(process.communicate(), PROGRAM_SECONDS)
        except TimeoutError:
            process.kill()
            raise AssertionError(f"{block} does not end") from None
        assert process.returncode == 0, f"{block}: {complaint.decode()}"
        return printed.decode()

    def _compare_lines(self, block: Block) -> None:
        shown, printed = block.text.splitlines(), self.printed.splitlines()
        assert len(shown) == len(printed), f"{block}: it printed\n{self.printed}"
        for expected, line in zip(shown, printed, strict=True):
            pattern = expected.replace("[", "[[]").replace(ANYTHING, "*")
            assert fnmatchcase(line, pattern), f"{block}: it printed {line!r}"


def commands(script: str) -> Iterator[str]:
    """The commands of a script: a line each, unless a quotation or a backslash goes on."""
    waiting: list[str] = []
    for line in script.replace("\\\n", " ").splitlines():
        waiting.append(line)
        try:
            words = shlex.split("\n".join(waiting), comments=True)
        except ValueError:
            continue  # a quotation goes on in the next line
        if words:
            yield "\n".join(waiting).strip()
        waiting.clear()
    assert not waiting, f"a quotation does not end: {waiting}"


def compare(block: Block, answered: Any, shown: Any, place: str) -> None:
    """Fails unless the answer holds all that is shown."""
    if shown == ANYTHING:
        return
    if isinstance(shown, dict) and isinstance(answered, dict):
        assert shown.keys() <= answered.keys(), (
            f"{block}: {place or 'the answer'} lacks {shown.keys() - answered.keys()}"
        )
        for name, value in shown.items():
            compare(block, answered[name], value, f"{place}/{name}")
    elif isinstance(shown, list) and isinstance(answered, list):
        is_open = bool(shown) and shown[-1] == ANYTHING
        expected = shown[:-1] if is_open else shown
        fits = len(answered) >= len(expected) if is_open else len(answered) == len(expected)
        assert fits, f"{block}: {place} is {answered}"
        for index, value in enumerate(expected):
            compare(block, answered[index], value, f"{place}/{index}")
    else:
        assert answered == shown, f"{block}: {place} is {answered!r}, not {shown!r}"
