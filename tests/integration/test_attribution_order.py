"""Which identifier decides where those of one touch lead to different customers: as the policy says."""

from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest
import pytest_asyncio

from rapport_shared.clock import system_clock
from rapport_shared.contracts.catalogue import CUSTOMER_POLICY_ACTIVATED, IDENTIFIER_ROUTED
from rapport_shared.contracts.customer import IdentifierRouted, RouteTarget
from rapport_shared.contracts.interaction import ATTRIBUTION_ORDER, IdentifierType
from rapport_shared.contracts.policies import PolicyActivated
from rapport_shared.normalisation import identifier_key, normalise_identifier
from rapport_shared.policy_registers import read_order
from tests.support.infrastructure import Databases
from tests.support.interaction_service import SECRET, Desk, desk_of, touchpoint

PHONE = {"type": "phone", "value": "+8613800138000"}
EMAIL = {"type": "email", "value": "wang@firm.test"}


@pytest_asyncio.fixture
async def desk(databases: Databases) -> AsyncIterator[Desk]:
    async with desk_of(databases) as desk:
        yield desk


async def route(desk: Desk, identifier: dict[str, str]) -> UUID:
    """Touches by an identifier lead to a profile of their own."""
    type_ = IdentifierType(identifier["type"])
    key = identifier_key(SECRET.encode(), type_, normalise_identifier(type_, identifier["value"]).normal)
    profile_id = uuid4()
    routed = IdentifierRouted(
        identifier_key=key,
        identifier_type=type_,
        target=RouteTarget.PROFILE,
        profile_id=profile_id,
        route_seq=1,
        valid_from=system_clock(),
    )
    await desk.hear(IDENTIFIER_ROUTED, routed)
    return profile_id


async def recorded_at(desk: Desk) -> str:
    reported = touchpoint(identifiers=[EMAIL, PHONE])
    await desk.arrive(reported)
    return str((await desk.standing())[reported["id"]]["profile_id"])


async def test_the_order_of_the_policy_decides_from_its_activation_on(desk: Desk) -> None:
    by_phone, by_email = await route(desk, PHONE), await route(desk, EMAIL)
    assert await recorded_at(desk) == str(by_phone)
    for version, order, expected in ((1, ["email", "phone"], by_email), (2, [], by_phone)):
        document = {"order": order}
        data = PolicyActivated(kind="matching", name="default", unit="", version=version, document=document)
        await desk.hear(CUSTOMER_POLICY_ACTIVATED, data, sequence=version)
        assert await recorded_at(desk) == str(expected)


def test_types_that_an_order_leaves_out_follow_as_shipped() -> None:
    assert read_order(b'{"order": ["email"]}')[0] is IdentifierType.EMAIL
    assert set(read_order(b'{"order": ["email"]}')) == set(ATTRIBUTION_ORDER)
    assert read_order(b"{}") == ATTRIBUTION_ORDER
    with pytest.raises(ValueError, match="colour"):
        read_order(b'{"order": ["colour"]}')
