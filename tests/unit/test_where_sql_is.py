"""SQL stands in the store modules of its service alone: whoever changes a table knows where to look."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

SERVICES = Path(__file__).parents[2] / "services"
STATEMENT = re.compile(
    r"^\s*(SELECT\s|INSERT\s+INTO\s|UPDATE\s+\S+\s+SET\s|DELETE\s+FROM\s|WITH\s+\w+\s+AS\s|LOCK\s+TABLE\s)"
)


def modules() -> Iterator[Path]:
    for path in sorted(SERVICES.glob("*/src/**/*.py")):
        is_store = "store" in path.parts or path.stem == "store" or path.stem.endswith("_store")
        if not is_store and "migrations" not in path.parts:
            yield path


def statements(source: str) -> list[str]:
    texts = [
        node.value
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    return [text for text in texts if STATEMENT.match(text)]


def test_a_statement_is_recognised() -> None:
    source = '''
"""Select what you like, update it, delete it."""
_A = "SELECT 1 FROM a"
_B = f"UPDATE b SET c = {1}"
_C = """
WITH d AS (SELECT 1) SELECT * FROM d
"""
async def e() -> None:
    await f.execute("DELETE FROM g WHERE h < $1", 1)
'''
    assert len(statements(source)) == 4


@pytest.mark.parametrize("path", list(modules()), ids=lambda path: str(path.relative_to(SERVICES)))
def test_no_sql_stands_outside_the_stores(path: Path) -> None:
    assert statements(path.read_text()) == []
