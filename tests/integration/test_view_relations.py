"""Relations in the view on a real database: both sides, merges and undos, pages, and no storm where a name changes."""

from importlib import import_module
from uuid import UUID

import orjson

from rapport_gateway.projection.projector import Projector
from rapport_gateway.projection.store.relations import AT_ONCE
from rapport_gateway.reads.relations import page_of
from rapport_shared.clock import system_clock
from rapport_shared.contracts.ids import derived_id, source_profile_id
from tests.support.view_desk import Desk


def customer(record: str) -> str:
    return str(source_profile_id("crm", record))


async def test_a_relation_waits_for_its_record_and_heals(desk: Desk) -> None:
    await desk.take([desk.profile("anna", "Anna", ("employee_of", "acme"))])
    assert await desk.employers("anna") == [(customer("acme"), None)]
    await desk.take([desk.profile("acme", "Acme")])
    assert await desk.employers("anna") == [(customer("acme"), "Acme")]
    people = (await desk.identity("acme"))["related"]["employee_of"]
    assert (people["total"], people["customers"][0]["display_name"]) == (1, "Anna")
    await desk.take([desk.profile("anna", "Anna B.")])
    assert await desk.employers("anna") == []
    assert (await desk.identity("acme"))["related"] == {}


async def test_both_sides_follow_merges_and_undos(desk: Desk) -> None:
    people = [desk.profile(name, name, ("employee_of", "branch")) for name in ("anna", "bert")]
    await desk.take([desk.profile("acme", "Acme"), desk.profile("branch", "Acme branch"), *people])
    before = [await desk.identity(record) for record in ("anna", "acme", "branch")]
    await desk.take([desk.merged("branch", "acme")])
    assert await desk.employers("anna") == [(customer("acme"), (await desk.identity("acme"))["display_name"])]
    assert (await desk.identity("acme"))["related"]["employee_of"]["total"] == 2
    await desk.take([desk.merged("bert", "anna")])
    assert (await desk.identity("acme"))["related"]["employee_of"]["total"] == 1, "they are one person now"
    await desk.take([desk.merged("bert", "anna", undone=True), desk.merged("branch", "acme", undone=True)])
    assert [await desk.identity(record) for record in ("anna", "acme", "branch")] == before


async def test_what_leads_back_is_kept_and_flagged(desk: Desk) -> None:
    await desk.take([desk.profile("plant", "Plant", ("member_of", "group"))])
    await desk.take([desk.profile("group", "Group", ("member_of", "plant"), ("referred_by", "group"))])
    assert [line["cyclic"] for line in (await desk.identity("group"))["relations"]] == [True, True]
    assert [line["cyclic"] for line in (await desk.identity("plant"))["relations"]] == [True]
    await desk.take([desk.profile("plant", "Plant")])
    assert [line["cyclic"] for line in (await desk.identity("group"))["relations"]] == [False, True]


async def test_a_large_company_that_is_renamed_makes_no_storm(desk: Desk) -> None:
    count = 2 * AT_ONCE + 30
    people = [desk.profile(f"p{number}", f"Person {number}", ("employee_of", "acme")) for number in range(count)]
    await desk.take([desk.profile("acme", "Acme"), *people])
    shown = (await desk.identity("acme"))["related"]["employee_of"]
    assert (shown["total"], len(shown["customers"])) == (count, 10)

    async def anew() -> int:
        rows = await desk.tables.fetch("SELECT identity FROM customer_view")
        found = [orjson.loads(row["identity"]) for row in rows]
        return sum(line["display_name"] == "Acme Ltd" for one in found for line in one["relations"])

    await desk.take([desk.profile("acme", "Acme Ltd")])
    assert await anew() == AT_ONCE
    announced = 0

    async def announce() -> None:
        nonlocal announced
        announced += 1

    caught_up = Projector(desk.run, desk.tables, system_clock, announce).subscription().caught_up
    for _ in range(4):
        await caught_up()
    assert (await anew(), announced) == (count, 2)


async def test_all_relations_are_listed_in_pages(desk: Desk) -> None:
    people = [desk.profile(f"p{number}", f"Person {number}", ("employee_of", "acme")) for number in range(25)]
    await desk.take([desk.profile("acme", "Acme", ("member_of", "group")), *people])
    own, found, cursor = UUID(customer("acme")), [], None
    while True:
        page = await page_of(desk.live, own, None, None, cursor, 10)
        found += page["relations"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert [line["direction"] for line in found] == ["incoming"] * 25 + ["outgoing"]
    assert {line["display_name"] for line in found[:25]} == {f"Person {number}" for number in range(25)}
    only = await page_of(desk.live, own, "member_of", "outgoing", None, 10)
    assert [(line["customer_id"], line["display_name"]) for line in only["relations"]] == [(customer("group"), None)]


async def test_a_run_that_is_there_gets_the_tables_and_its_assets(desk: Desk) -> None:
    asset_id = derived_id("asset", "serial")
    for type_ in ("vehicle", "lorry"):
        data = {"asset": {"asset_id": str(asset_id), "keys": [], "type": type_}, "changed": []}
        await desk.take([desk.fact("customer.asset_changed", asset_id, None, data)])
    kept = await desk.tables.fetch_value("SELECT register FROM asset")
    await desk.tables.fetch("DROP TABLE relation")
    await desk.tables.fetch("DROP TABLE stale_customer")
    await desk.tables.fetch("DROP TABLE asset")
    await desk.tables.fetch("DROP INDEX customer_view_owner")
    for step in ("0007_relations", "0008_owners"):
        revision = import_module(f"rapport_gateway.migrations.versions.{step}")
        async with desk.tables.transaction() as connection:
            await connection.execute(getattr(revision, "TABLES", None) or revision.INDEXES)
    assert orjson.loads(await desk.tables.fetch_value("SELECT register FROM asset")) == orjson.loads(kept)
    await desk.take([desk.profile("anna", "Anna", ("employee_of", "acme"))])
    assert await desk.employers("anna") == [(customer("acme"), None)]
