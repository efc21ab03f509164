"""Reading a sheet from outside the process that reads it."""

import asyncio
import logging
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO

import orjson

from rapport_gateway.imports.findings import SheetUnreadable
from rapport_gateway.imports.limits import SILENCE_SECONDS

_log = logging.getLogger("rapport.imports")

_PROGRAM = ("-m", "rapport_gateway.imports.reading_process")
_LONGEST_LINE = 64 * 1024 * 1024


@dataclass(slots=True)
class Reading:
    """A sheet that is being read by another process."""

    process: Process

    async def report(self) -> Any:
        """What was found out of the sheet: `report`, `mapping` (the one given, or proposed), `stops`.

        Raises `SheetUnreadable`, also where reading took more memory or time than it may.
        """
        return await self._answer()

    async def rows(self, terms: dict[str, Any]) -> AsyncIterator[list[Any]]:
        """The judged rows in lists, under `terms`. Raises `SheetUnreadable` as `report` does."""
        await self._tell(terms)
        while True:
            answer = await self._answer()
            if "ended" in answer:
                return
            yield answer["rows"]

    async def _tell(self, document: Any) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(orjson.dumps(document) + b"\n")
        await self.process.stdin.drain()

    async def _answer(self) -> Any:
        assert self.process.stdout is not None
        try:
            line = await asyncio.wait_for(self.process.stdout.readline(), SILENCE_SECONDS)
        except TimeoutError:
            raise SheetUnreadable("too_slow", "Reading the sheet takes longer than it may.") from None
        if not line:
            raise SheetUnreadable("too_large", "Reading the sheet takes more memory or time than it may.")
        answer = orjson.loads(line)
        if "unreadable" in answer:
            raise SheetUnreadable(**answer["unreadable"])
        if "broken" in answer:
            error, places = answer["broken"]
            _log.error("a sheet could not be read", extra={"error": error, "place": places})
            raise SheetUnreadable("fault", "The fault is in Rapport; it has been logged.")
        return answer


@asynccontextmanager
async def reading(content: BinaryIO, mapping: Any, fields: str = "{}") -> AsyncIterator[Reading]:
    """A process that reads the sheet in `content` (a real file), ended with the body.

    `fields` is the document of the fields that the deployment declared of its own.
    """
    content.flush()
    # it gets only the secrets that it needs, through its input, because it reads untrusted files
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RAPPORT_")}
    descriptor = content.fileno()
    os.lseek(descriptor, 0, os.SEEK_SET)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *_PROGRAM,
        stdin=PIPE,
        stdout=PIPE,
        stderr=DEVNULL,  # what a reader complains of may quote the sheet
        env=environment,
        pass_fds=(descriptor,),
        limit=_LONGEST_LINE,
    )
    try:
        found = Reading(process)
        await found._tell({"file": descriptor, "mapping": mapping, "fields": fields})
        yield found
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
