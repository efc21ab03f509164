"""The process that reads a sheet: within limits of memory and time, speaking JSON lines with who started it.

The process reads a job, writes a report, then reads the terms and writes the rows. It ends with its input.
"""

import asyncio
import os
import resource
import sys
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from rapport_gateway.imports.columns import Table, lay_over
from rapport_gateway.imports.findings import SheetUnreadable
from rapport_gateway.imports.limits import CPU_SECONDS, MEMORY_BYTES
from rapport_gateway.imports.mapping import SheetMapping
from rapport_gateway.imports.rows import Terms
from rapport_gateway.imports.sheets import read_sheet
from rapport_gateway.imports.staging import Judge, JudgedRow, report
from rapport_gateway.intake.touchpoints import TouchpointRules
from rapport_shared.callers import Caller
from rapport_shared.clock import system_clock
from rapport_shared.contracts.customer import UnitState
from rapport_shared.own_fields import OwnRules, read_fields
from rapport_shared.telemetry import describe_error

ROWS_AT_ONCE = 250
BYTES_AT_ONCE = 512 * 1024


def main() -> None:
    """Reads the sheet at the inherited file descriptor that the job names, and answers; raises nothing."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        _converse()
    except SheetUnreadable as unreadable:
        _say({"unreadable": {"code": unreadable.code, "message": unreadable.message}})
    except MemoryError:
        _say({"unreadable": {"code": "too_large", "message": "Reading the sheet takes more memory than it may."}})
    except BrokenPipeError:
        sys.exit(1)
    except BaseException as error:  # a panic of the workbook's reader is no Exception
        _say({"broken": describe_error(error)})


def _converse() -> None:
    table = _told(_heard())
    terms = _heard()
    if terms is not None:
        asyncio.run(_judge(table, terms))
        _say({"ended": True})


def _told(job: Any) -> Table:
    mapping = SheetMapping.model_validate(job["mapping"]) if job["mapping"] else None
    with os.fdopen(job["file"], "rb") as content:
        sheet = read_sheet(
            content,
            encoding=mapping.encoding if mapping else None,
            delimiter=mapping.delimiter if mapping else None,
            sheet=mapping.sheet if mapping else None,
        )
    table = lay_over(sheet, mapping, read_fields(job["fields"].encode()))
    resolved = table.mapping.model_dump(mode="json", exclude_defaults=True) if table.mapping else None
    _say({"report": report(sheet, table), "mapping": resolved, "stops": table.findings.stops})
    return table


async def _judge(table: Table, told: Any) -> None:
    unit = UnitState.model_validate(told["unit"]) if told["unit"] else None
    terms = Terms(
        digest=told["digest"],
        system=told["system"],
        channel=told["channel"],
        unit=unit.path if unit else None,
        historical=told["historical"],
        as_of=datetime.fromisoformat(told["as_of"]),
        zone=ZoneInfo(unit.time_zone) if unit else ZoneInfo("UTC"),
        phone_region=unit.phone_region if unit else told["region"],
    )
    waiting: list[bytes] = []
    async for row in Judge(
        table, terms, _rules(told["secret"].encode(), unit, table.rules, told["region"]), _caller(told["caller"])
    ).rows():
        waiting.append(orjson.dumps(_document(row)))
        if len(waiting) == ROWS_AT_ONCE or sum(map(len, waiting)) > BYTES_AT_ONCE:
            _write(b'{"rows":[' + b",".join(waiting) + b"]}")
            waiting.clear()
    if waiting:
        _write(b'{"rows":[' + b",".join(waiting) + b"]}")


def _rules(secret: bytes, unit: UnitState | None, own: OwnRules, region: str | None) -> TouchpointRules:
    """The rules of the API, over the one unit that an import may name."""

    async def declared() -> OwnRules:
        return own

    async def find(path: str) -> UnitState | None:
        return unit if unit is not None and unit.path == path else None

    return TouchpointRules(secret, find, system_clock, declared, region)


def _caller(told: Any) -> Caller:
    return Caller(
        principal=told["principal"],
        channel=told["channel"],
        unit=told["unit"],
        may_verify=frozenset(told["may_verify"]),
    )


def _document(row: JudgedRow) -> dict[str, Any]:
    return {
        "row": row.number,
        "cells": row.cells,
        "reasons": row.reasons,
        "rejected": row.rejected,
        "ids": row.ids,
        "keys": row.keys,
        "source_profile": row.source_profile,
        "same_as": row.same_as,
        "messages": [
            {
                "key": message.key.decode(),
                "headers": [[name, value.decode()] for name, value in message.headers],
                "value": (message.value or b"").decode(),
            }
            for message in row.messages
        ],
    }


def _heard() -> Any:
    line = sys.stdin.buffer.readline()
    return orjson.loads(line) if line else None


def _say(document: Any) -> None:
    _write(orjson.dumps(document))


def _write(line: bytes) -> None:
    sys.stdout.buffer.write(line + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
