"""Sheets become customers: uploaded, checked, run, followed and read back, through all services."""

import csv
import io
from typing import Any
from uuid import uuid4

import pytest

from tests.support.conditions import until
from tests.support.stack import Caller

pytestmark = pytest.mark.asyncio(loop_scope="session")


def unique() -> str:
    return uuid4().hex[:12]


def number() -> str:
    return f"138{uuid4().int % 10**8:08d}"


def sheet(*rows: list[str], header: str = "客户编号,姓名,手机,邮箱") -> bytes:
    written = io.StringIO()
    csv.writer(written).writerows(rows)
    return f"{header}\r\n{written.getvalue()}".encode()


async def upload(caller: Caller, content: bytes, expected: int = 202, **terms: str) -> dict[str, Any]:
    query = {"name": "customers.csv", "system": f"erp-{unique()}", **terms}
    headers = {"Content-Type": "text/csv"}
    answer = await caller.call("POST", "/v1/imports", expected, params=query, content=content, headers=headers)
    return dict(answer.json())


async def settled(caller: Caller, import_id: str) -> dict[str, Any]:
    """The import once it waits for somebody or has ended."""
    found: dict[str, Any] = {}

    async def is_settled() -> bool:
        answer = await caller.call("GET", f"/v1/imports/{import_id}?wait_ms=20000", 200)
        found.update(answer.json())
        return found["state"] not in ("waiting", "running")

    await until("the import's next state", is_settled, seconds=180)
    return found


async def rows(caller: Caller, import_id: str, **query: str) -> list[dict[str, Any]]:
    page = await caller.call("GET", f"/v1/imports/{import_id}/rows", 200, params={"limit": "200", **query})
    return list(page.json()["rows"])


async def run(caller: Caller, import_id: str) -> dict[str, Any]:
    await caller.call("POST", f"/v1/imports/{import_id}/run", 202)
    return await settled(caller, import_id)


async def test_a_sheet_is_checked_run_and_read_back(caller: Caller) -> None:
    mine, other = number(), number()
    content = sheet(
        ["K-1", "王小明", f"+86 {mine}", f"{unique()}@example.com"],
        ["K-2", "李雷", f"+86 {other}", ""],
        ["K-2", "韩梅梅", "", ""],
        ["K-3", "=1+1", "1.38E+10", ""],
    )
    made = await upload(caller, content)
    checked = await settled(caller, made["import_id"])
    assert checked["state"] == "checked", checked
    assert checked["sheet"]["encoding"] == {"name": "utf-8", "confidence": 0.99, "ambiguous": False, "marked": False}
    assert [column["field"] for column in checked["sheet"]["columns"]] == ["record", "name", "phone", "email"]
    assert checked["progress"] == {
        "rows": 4,
        "new": 2,
        "matches": 0,
        "rejected": 2,
        "sent": 0,
        "recorded": 0,
        "quarantined": 0,
    }
    judged = {
        row["row"]: (row["verdict"], [r["code"] for r in row["reasons"]])
        for row in await rows(caller, made["import_id"])
    }
    assert judged == {
        2: ("new", []),
        3: ("new", []),
        4: ("rejected", ["duplicate_record"]),
        5: ("rejected", ["scientific_notation"]),
    }
    done = await run(caller, made["import_id"])
    assert (done["state"], done["progress"]["sent"], done["progress"]["recorded"]) == ("done", 2, 2)
    recorded = await rows(caller, made["import_id"], verdict="recorded")
    view = (await caller.call("GET", f"/v1/customers/{recorded[0]['customer_id']}", 200)).json()
    await until("the name", lambda: _named(caller, recorded[0]["customer_id"], "王小明"))
    assert view["customer_id"] == recorded[0]["customer_id"]
    result = await caller.call("GET", f"/v1/imports/{made['import_id']}/result?format=csv", 200)
    lines = list(csv.reader(io.StringIO(result.content.decode("utf-8-sig"))))
    assert lines[0][:5] == ["import row", "import verdict", "import outcome", "import reasons", "import customer id"]
    assert lines[1] == [
        "2",
        "new",
        "recorded",
        "",
        recorded[0]["customer_id"],
        "K-1",
        "王小明",
        f"'+86 {mine}",
        lines[1][8],
    ]
    assert lines[4][6] == "'=1+1"


async def _named(caller: Caller, customer_id: str, name: str) -> bool:
    view = (await caller.call("GET", f"/v1/customers/{customer_id}", 200)).json()
    return bool(view["identity"]["display_name"] == name)
