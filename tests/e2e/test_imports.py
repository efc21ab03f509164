"""Sheets become customers: uploaded, checked, run, followed and read back, through all services."""

import asyncio
import csv
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import psutil
import pytest
from python_calamine import CalamineWorkbook

from deploy.local.stack import Stack
from rapport_gateway.imports.limits import MAX_FILE_BYTES
from tests.support.conditions import until
from tests.support.stack import Caller
from tests.unit.imports.sheets import xlsx_bytes

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


async def test_rows_that_are_known_say_whom_they_match_and_why(caller: Caller) -> None:
    phone, system = number(), f"erp-{unique()}"
    first = await upload(caller, sheet(["K-1", "王小明", f"+86{phone}", ""]), system=system)
    await settled(caller, first["import_id"])
    await run(caller, first["import_id"])
    [known] = await rows(caller, first["import_id"])

    async def are_routed() -> bool:
        found = await caller.client.post(
            "/v1/customers/lookup", json={"identifiers": [{"type": "phone", "value": f"+86{phone}"}]}
        )
        return bool(found.json()["matches"])

    await until("the route of the number", are_routed)
    content = sheet(
        ["K-1", "王小明", "", ""],
        ["K-2", "王晓明", f"+86{phone}", ""],
        ["K-3", "韩梅梅", "+8613912340000", f"{unique()}@example.com"],
        ["K-4", "韩梅", "+8613912340000", ""],
    )
    second = await upload(caller, content, system=system)
    await settled(caller, second["import_id"])
    judged = await rows(caller, second["import_id"])
    assert [(row["verdict"], row["customer_id"]) for row in judged[:2]] == [("matches", known["customer_id"])] * 2
    assert [row["reasons"][0]["code"] for row in judged[:2]] == ["source_record", "routed"]
    assert judged[3]["verdict"] == "matches"
    assert [reason["code"] for reason in judged[3]["reasons"]][-1] in ("same_as_row", "routed")


async def test_a_row_that_is_like_a_customer_matches_and_says_how_likely(caller: Caller) -> None:
    mail, street = f"{unique()}@example.com", f"世纪大道{uuid4().int % 10**6}号"
    header = "客户编号,姓名,手机,邮箱,生日,城市,街道"
    registered = ["K-1", "欧阳明轩", f"+86{number()}", mail, "1985-03-01", "上海市", street]
    first = await upload(caller, sheet(registered, header=header))
    await settled(caller, first["import_id"])
    await run(caller, first["import_id"])
    [known] = await rows(caller, first["import_id"])
    like = sheet(["N-1", "欧阳明轩", "", "", "1985-03-01", "上海市", street], header=header)
    found: dict[str, Any] = {}

    async def is_found() -> bool:
        second = await upload(caller, like)
        checked = await settled(caller, second["import_id"])
        assert checked["sheet"]["compared_by_likeness"] is True
        [row] = await rows(caller, second["import_id"])
        found.update(row)
        return bool(row["verdict"] == "matches")

    await until("the likeness", is_found)
    assert found["customer_id"] == known["customer_id"]
    assert all(0 < reason["probability"] <= 1 and reason["message"] for reason in found["reasons"])


async def test_files_are_linked_by_the_records_that_they_name(caller: Caller) -> None:
    companies, people = f"companies-{unique()}", f"people-{unique()}"
    ids = []
    for system, content in (
        (companies, sheet(["F-9", "Acme"], header="编号,公司名称")),
        (people, sheet(["C-1", "王小明", "F-9"], header="客户编号,姓名,雇主编号")),
    ):
        made = await upload(caller, content, system=system)
        await settled(caller, made["import_id"])
        if system == people:
            columns = [
                {"column": "客户编号", "field": "record"},
                {"column": "姓名", "field": "name"},
                {"column": "雇主编号", "field": "relation", "type": "employer", "system": companies},
            ]
            path = f"/v1/imports/{made['import_id']}/mapping"
            await caller.call("PUT", path, 202, json={"mapping": {"columns": columns}})
            await settled(caller, made["import_id"])
        await run(caller, made["import_id"])
        [row] = await rows(caller, made["import_id"])
        ids.append(row["customer_id"])

    async def are_linked() -> bool:
        view = (await caller.call("GET", f"/v1/customers/{ids[1]}", 200)).json()
        relations = view["identity"]["relations"]
        return any(relation["type"] == "employer" and "F-9" in str(relation) for relation in relations)

    await until("the relation", are_linked)


async def test_a_doubtful_sheet_waits_for_a_decision(caller: Caller) -> None:
    content = sheet(["K-1", "3/4/1985"], ["K-2", "5/6/1990"], header="客户编号,生日")
    made = await upload(caller, content)
    found = await settled(caller, made["import_id"])
    assert found["state"] == "undecided"
    [stop] = [finding for finding in found["sheet"]["findings"] if finding["weight"] == "stops"]
    assert (stop["code"], stop["column"], stop["rows"]) == ("ambiguous_date_order", "生日", [2, 3])
    refused = await caller.call("POST", f"/v1/imports/{made['import_id']}/run", 409)
    assert refused.json()["state"] == "undecided"
    columns = [
        {"column": "客户编号", "field": "record"},
        {"column": "生日", "field": "birth_date", "date_order": "dmy"},
    ]
    name = f"dealers-{unique()}"
    kept = await caller.call("PUT", f"/v1/import-mappings/{name}", 200, json={"columns": columns})
    assert kept.json()["revision"] == 1
    await caller.call("PUT", f"/v1/imports/{made['import_id']}/mapping", 202, json={"name": name})
    assert (await settled(caller, made["import_id"]))["state"] == "checked"
    done = await run(caller, made["import_id"])
    assert done["progress"]["recorded"] == 2
    again = await upload(caller, content, system=made["system"])
    assert (again["import_id"], again["state"]) == (made["import_id"], "done")


async def test_a_workbook_goes_in_and_comes_back(caller: Caller) -> None:
    content = xlsx_bytes(["客户编号", "姓名", "手机"], ["K-1", "=cmd()", 13812345678], ["K-2", "李雷", "no number"])
    made = await upload(caller, content, name="客户.xlsx")
    checked = await settled(caller, made["import_id"])
    assert (checked["sheet"]["format"], checked["sheet"]["sheet"]) == ("xlsx", "Sheet1")
    result = await caller.call("GET", f"/v1/imports/{made['import_id']}/result?format=xlsx", 200)
    with CalamineWorkbook.from_filelike(io.BytesIO(result.content)) as book:
        lines = book.get_sheet_by_index(0).to_python()
    assert lines[0][5:] == ["客户编号", "姓名", "手机"]
    assert lines[1][5:] == ["K-1", "'=cmd()", "13812345678"]
    for language, first in (("en", "Customer number"), ("zh", "客户编号")):
        template = await caller.call("GET", f"/v1/imports/template?format=xlsx&language={language}", 200)
        with CalamineWorkbook.from_filelike(io.BytesIO(template.content)) as book:
            assert book.get_sheet_by_index(0).to_python()[0][0] == first


@pytest.mark.parametrize("ending", [b"\x89PNG\r\n\x1a\n\0\0", b"", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 99])
async def test_what_is_no_sheet_is_refused_at_once(caller: Caller, ending: bytes) -> None:
    problem = await upload(caller, ending, 422)
    assert problem["type"] == "/problems/sheet-unreadable"


async def test_what_turns_out_to_be_no_sheet_fails_with_a_problem(caller: Caller) -> None:
    made = await upload(caller, b"PK\x03\x04" + unique().encode())
    failed = await settled(caller, made["import_id"])
    assert (failed["state"], failed["problem"]["code"]) == ("failed", "broken_workbook")


async def test_a_wrong_request_changes_nothing(caller: Caller) -> None:
    before = (await caller.call("GET", "/v1/imports?limit=1", 200)).json()
    content = sheet(["K-1", "王小明", "", ""])
    assert (await upload(caller, content, 422, unit="no/such/unit"))["errors"][0]["code"] == "unknown_unit"
    await upload(caller, content, 404, mapping="no-such-mapping")
    await upload(caller, content, 422, as_of="2999-01-01T00:00:00Z")
    await upload(caller, content, 422, system="")
    for path in ("", "/rows", "/result"):
        await caller.call("GET", f"/v1/imports/{uuid4()}{path}", 404)
    assert (await caller.call("GET", "/v1/imports?limit=1", 200)).json() == before


async def test_a_file_over_the_limit_is_refused_and_nothing_of_it_is_kept(caller: Caller, stack: Stack) -> None:
    async def endless() -> Any:
        for _ in range(5 * MAX_FILE_BYTES // 2**20):
            yield b"x" * 2**20

    path = "/v1/imports?name=big.csv&system=erp"
    before = stack_memory(stack)
    problem = (await caller.call("POST", path, 413, content=endless())).json()
    assert problem["type"] == "/problems/too-large"
    await caller.call("POST", path, 413, content=b"x" * (MAX_FILE_BYTES + 1))
    assert stack_memory(stack) - before < MAX_FILE_BYTES
    async with asyncpg_connection(stack) as connection:
        assert await connection.fetchval("SELECT count(*) FROM import WHERE state = 'uploading'") == 0
        assert await connection.fetchval("SELECT count(*) FROM import_chunk WHERE bytes LIKE 'xxxxxxxx%'") == 0


def stack_memory(stack: Stack) -> int:
    """What the gateway's process takes."""
    return int(psutil.Process(stack.supervisor.pid("gateway")).memory_info().rss)


@asynccontextmanager
async def asyncpg_connection(stack: Stack) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    connection = await asyncpg.connect(stack.addresses.databases["gateway"])
    try:
        yield connection
    finally:
        await connection.close()


async def test_a_key_of_a_unit_sees_and_makes_imports_of_its_unit_alone(caller: Caller) -> None:
    unit = {"name": "u", "time_zone": "Asia/Shanghai", "currency": "CNY", "phone_region": "CN"}
    path = f"cn/{unique()}"
    await caller.call("PUT", f"/v1/units/{path}", 201, json=unit)
    grant = {"name": "branch", "channel": "erp", "unit": path, "scopes": ["imports:write", "imports:read"]}
    key = (await caller.call("POST", "/v1/keys", 201, json=grant)).json()["key"]
    other = await upload(caller, sheet(["K-1", "王小明", "", ""]))
    async with httpx.AsyncClient(
        base_url=caller.client.base_url, headers={"Authorization": f"Bearer {key}"}, timeout=40, trust_env=False
    ) as client:
        branch = Caller(client)

        async def is_known() -> bool:
            query = {"name": "a.csv", "system": "erp"}
            content = sheet(["K-1", "王小明", "13812345678", ""])
            answer = await client.post("/v1/imports", params=query, content=content)
            return answer.status_code == 202

        await until("the unit at the gateway", is_known)
        await upload(branch, sheet(["K-1", "x", "", ""]), 403, unit="cn")
        await upload(branch, sheet(["K-1", "x", "", ""]), 403, channel="web")
        await branch.call("GET", f"/v1/imports/{other['import_id']}", 404)
        await branch.call("POST", f"/v1/imports/{other['import_id']}/cancel", 404)
        [mine] = (await branch.call("GET", "/v1/imports", 200)).json()["imports"]
        assert (mine["unit"], mine["channel"]) == (path, "erp")
        checked = await settled(branch, mine["import_id"])
        assert checked["progress"]["new"] + checked["progress"]["matches"] == 1
        await branch.call("POST", f"/v1/imports/{mine['import_id']}/cancel", 200)
        assert (await branch.call("GET", f"/v1/imports/{mine['import_id']}/rows", 200)).json()["rows"] == []
        await branch.call("GET", "/v1/customers/" + str(uuid4()), 403)


async def test_a_run_whose_process_is_killed_doubles_and_loses_nothing(caller: Caller, stack: Stack) -> None:
    count, system = 3_000, f"erp-{unique()}"
    content = sheet(*([f"K-{n}", "王小明", "", ""] for n in range(count)))
    made = await upload(caller, content, system=system)
    await stack.supervisor.kill("gateway-view")  # while the sheet is read
    assert (await settled(caller, made["import_id"]))["progress"]["new"] == count
    await caller.call("POST", f"/v1/imports/{made['import_id']}/run", 202)
    path = f"/v1/imports/{made['import_id']}"
    for least in (1, 1_000, 2_000):

        async def was_sent(least: int = least) -> bool:
            return bool((await caller.call("GET", path, 200)).json()["progress"]["sent"] >= least)

        await until(f"{least} rows sent", was_sent)
        await stack.supervisor.kill("gateway-view")
    done = await settled(caller, made["import_id"])
    assert (done["state"], done["progress"]["sent"], done["progress"]["recorded"]) == ("done", count, count)
    customers = [row["customer_id"] for row in await _all_rows(caller, made["import_id"])]
    assert len(set(customers)) == count
    views = await asyncio.gather(*(caller.call("GET", f"/v1/customers/{each}", 200) for each in customers[:50]))
    assert all(view.json()["identity"]["profiles"][0]["sources"][0]["system"] == system for view in views)
    assert all(len(view.json()["identity"]["profiles"]) == 1 for view in views)


async def _all_rows(caller: Caller, import_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        query = {"limit": "200", **cursor}
        page = (await caller.call("GET", f"/v1/imports/{import_id}/rows", 200, params=query)).json()
        found += page["rows"]
        if page["next_cursor"] is None:
            return found
        cursor = {"cursor": page["next_cursor"]}
