"""Keys made anew after a rule changed, and weights learnt from the base: beside the service, and repeatable."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from rapport_customer import maintenance
from rapport_customer.maintenance import learn_weights, rekey
from rapport_shared.clock import system_clock
from rapport_shared.normalisation import NORM_VERSION
from rapport_shared.normalisation.forms import NormalForm
from tests.support.customer_service import SECRET, CustomerDesk, customer_desk
from tests.support.febrl import records
from tests.support.infrastructure import Databases

CARD = {"type": "card", "value": "77-1"}


@pytest_asyncio.fixture
async def desk(databases: Databases) -> AsyncIterator[CustomerDesk]:
    async with customer_desk(databases) as desk:
        yield desk


async def routes(desk: CustomerDesk) -> dict[str, str]:
    rows = await desk.database.fetch("SELECT identifier_key, profile_id::text FROM route WHERE target = 'profile'")
    return {row["identifier_key"]: row["profile_id"] for row in rows}


async def test_a_key_of_a_later_rule_is_a_second_route_and_the_first_stays(
    desk: CustomerDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    holder = await desk.report("erp", "1", {"name": {"display": "王小明"}}, [CARD])
    before = await routes(desk)

    def later_rule(type: str, value: str, region: str | None = None, system: str | None = None) -> NormalForm:
        return NormalForm(value, f"later {value}", (), NORM_VERSION + 1)

    monkeypatch.setattr(maintenance, "normalise_identifier", later_rule)
    monkeypatch.setattr(maintenance, "NORM_VERSION", NORM_VERSION + 1)
    said: list[str] = []
    assert await rekey(desk.database, SECRET.encode(), system_clock, said.append) == 1
    assert said == ["1 profiles looked at, 1 with new keys"]
    after = await routes(desk)
    assert before.items() < after.items()
    assert set(after.values()) == {str(holder)}
    assert await rekey(desk.database, SECRET.encode(), system_clock, said.append) == 0
    assert await routes(desk) == after


async def test_features_of_an_earlier_version_are_made_anew(desk: CustomerDesk) -> None:
    holder = await desk.report("erp", "1", {"name": {"display": "王小明"}})
    await desk.match()
    async with desk.database.transaction() as connection:
        await connection.execute("UPDATE match_features SET version = version - 1, features = '{}'")
    await rekey(desk.database, SECRET.encode(), system_clock, lambda _: None)
    await desk.match()
    row = await desk.database.fetch_row("SELECT version, features FROM match_features WHERE profile_id = $1", holder)
    assert row is not None
    assert "xiaoming" in row["features"]


async def test_weights_are_learnt_as_a_version_that_is_tried_before_it_is_in_force(desk: CustomerDesk) -> None:
    for number, record in enumerate(records(1, 60)):
        fields = {name: candidates[0].value for name, candidates in record.state.fields.items()}
        await desk.report("febrl", str(number), fields)
    await desk.match()
    version = await learn_weights(desk.database, 1_000, system_clock)
    page = (await desk.call("GET", "/v1/policies/matching/default/versions", 200)).json()
    assert [(one["version"], one["active"], one["made_by"]) for one in page["versions"]] == [(version, False, "train")]
    assert page["versions"][0]["note"].startswith("weights learnt from ")
    tried = await desk.call("POST", "/v1/policies/matching/default/simulate", 200, json={"version": version})
    assert tried.json()["complete"] is True
    assert tried.json()["outcomes"]["join"] > 0
    await desk.call("POST", "/v1/policies/matching/default/activate", 200, json={"version": version})
