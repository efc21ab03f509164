"""Figures: what is measured, beside its limit; as a table, as `bench.json`, and in `docs/benchmarks.md`."""

from __future__ import annotations

import json
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from math import ceil
from pathlib import Path
from typing import TypedDict

import psutil
from rich.console import Console
from rich.table import Table

__all__ = [
    "Figure",
    "milliseconds",
    "percentile",
    "rate",
    "seconds_of",
    "share",
    "show",
    "size",
    "write_docs",
    "write_json",
]

FIGURES = "figures"
"""The section of the page in which figures stand, unless they have one of their own."""


class Figure(TypedDict):
    """One measured figure, beside its limit in the same run.

    `ratio` is how much of the limit is reached: 1 is all of it, whether more or less of the unit is better.
    """

    name: str
    value: float
    unit: str
    limit: float | None
    ratio: float | None


def rate(name: str, value: float, limit: float | None, unit: str) -> Figure:
    """A figure of which more is better."""
    ratio = round(value / limit, 3) if limit else None
    return Figure(name=name, value=round(value), unit=unit, limit=round(limit) if limit else None, ratio=ratio)


def seconds_of(name: str, seconds: float, limit: float | None, unit: str = "s") -> Figure:
    """A time, given in seconds; `unit` may be `ms`. Less is better."""
    factor, digits = (1000, 1) if unit == "ms" else (1, 2)
    ratio = round(limit / seconds, 3) if limit else None
    stated = round(limit * factor, digits) if limit else None
    return Figure(name=name, value=round(seconds * factor, digits), unit=unit, limit=stated, ratio=ratio)


def milliseconds(name: str, value: float, limit: float) -> Figure:
    """A cost in milliseconds, to three digits. Less is better."""
    return Figure(name=name, value=round(value, 3), unit="ms", limit=round(limit, 3), ratio=round(limit / value, 3))


def at_most(name: str, value: float, aim: float, unit: str) -> Figure:
    """A figure that should not be above an aim. Less is better."""
    ratio = round(aim / value, 3) if value > 0 else None
    return Figure(name=name, value=round(value, 2), unit=unit, limit=aim, ratio=ratio)


def size(name: str, value: float, unit: str) -> Figure:
    """A figure that has no limit."""
    digits = 1 if value >= 10 else 3
    return Figure(name=name, value=round(value, digits), unit=unit, limit=None, ratio=None)


def share(name: str, value: float, limit: float | None) -> Figure:
    """A share of all, between 0 and 1, to four digits. More is better."""
    ratio = round(value / limit, 4) if limit else None
    return Figure(name=name, value=round(value, 4), unit="of all", limit=limit, ratio=ratio)


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest of `values` that at least `percent` of them do not exceed. Raises ValueError for no values."""
    if not values:
        raise ValueError("there is no percentile of nothing")
    return sorted(values)[max(0, ceil(len(values) * percent / 100) - 1)]


def show(figures: Sequence[Figure], console: Console) -> None:
    """Prints the table."""
    table = Table("figure", "value", "unit", "limit", "ratio", title=machine())
    for figure in figures:
        table.add_row(*_cells(figure))
    console.print(table)


def write_json(figures: Sequence[Figure], path: Path) -> None:
    """One object a line."""
    path.write_text("[\n" + ",\n".join(json.dumps(figure) for figure in figures) + "\n]\n")


def write_docs(figures: Sequence[Figure], path: Path, section: str = FIGURES) -> None:
    """Replaces what stands between the two markers of the section. Raises ValueError where they are missing."""
    opening, closing = f"<!-- {section} -->", f"<!-- end of {section} -->"
    before, begin, rest = path.read_text().partition(opening)
    _, end, after = rest.partition(closing)
    if not begin or not end:
        raise ValueError(f"{path} has no {opening} … {closing}")
    rows = ["| figure | value | unit | limit | ratio |", "|---|--:|---|--:|--:|"]
    rows += ["| {} | {} | {} | {} | {} |".format(*_cells(figure)) for figure in figures]
    table = "\n".join([f"{datetime.now(UTC).date()}, {machine()}", "", *rows])
    path.write_text(f"{before}{opening}\n{table}\n{closing}{after}")


def machine() -> str:
    """The machine in words."""
    memory = psutil.virtual_memory().total / 2**30
    return f"{psutil.cpu_count()} cores, {memory:.0f} GiB, {platform.system()}, Python {platform.python_version()}"


def _cells(figure: Figure) -> list[str]:
    limit, ratio = figure["limit"], figure["ratio"]
    value = f"{figure['value']:,g}" if figure["value"] < 1e5 else f"{figure['value']:,.0f}"
    return [
        figure["name"],
        value,
        figure["unit"],
        "" if limit is None else f"{limit:,g}",
        "" if ratio is None else f"{ratio:.2g}" if ratio < 1 else f"{ratio:.2f}",
    ]
