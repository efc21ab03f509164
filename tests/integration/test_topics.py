"""`topics plan` and `topics apply` against a live broker."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from deploy.local.infrastructure import Infrastructure
from rapport_shared.contracts.catalogue import DEAD_LETTERS, TOPICS
from rapport_shared.messaging.topics import LOCAL_PARTITIONS, TopicsDiffer, administration, apply, plan
from tests.support.conditions import until

LETTERS = DEAD_LETTERS["ticket"].name


@pytest_asyncio.fixture
async def client(infrastructure: Infrastructure) -> AsyncIterator[AIOKafkaAdminClient]:
    """An administrator of a broker that has all topics, before and after."""
    async with administration(infrastructure.kafka) as client:
        await _applied(client)
        yield client
        await _applied(client)


async def _applied(client: AIOKafkaAdminClient) -> None:
    await apply(client, LOCAL_PARTITIONS, 1)
    await until("all topics", lambda: _has(client, {topic.name for topic in TOPICS}))


async def _has(client: AIOKafkaAdminClient, names: set[str]) -> bool:
    return names <= set(await client.list_topics())


async def test_nothing_is_planned_where_all_is_as_the_catalogue_says(client: AIOKafkaAdminClient) -> None:
    assert await plan(client, LOCAL_PARTITIONS) == []


async def test_a_missing_topic_is_planned_and_made(client: AIOKafkaAdminClient) -> None:
    async def gone() -> bool:
        return not await _has(client, {LETTERS})

    await client.delete_topics([LETTERS])
    await until("the end of the topic", gone)
    planned = await plan(client, LOCAL_PARTITIONS)
    assert [(change.action, change.topic, change.partitions) for change in planned] == [
        ("create", LETTERS, LOCAL_PARTITIONS)
    ]
    assert await apply(client, LOCAL_PARTITIONS, 1) == planned
    await until("the topic", lambda: _has(client, {LETTERS}))
    assert await plan(client, LOCAL_PARTITIONS) == []


async def test_a_setting_that_was_changed_is_planned_and_set_back_and_others_stay(client: AIOKafkaAdminClient) -> None:
    changed = {"cleanup.policy": "compact", "segment.ms": "3600000"}
    await client.alter_configs([ConfigResource(ConfigResourceType.TOPIC, LETTERS, configs=changed)])

    async def differs() -> bool:
        return await plan(client, LOCAL_PARTITIONS) != []

    await until("the change", differs)
    (change,) = await plan(client, LOCAL_PARTITIONS)
    assert (change.action, change.topic) == ("configure", LETTERS)
    assert ("cleanup.policy", "delete") in change.settings
    await apply(client, LOCAL_PARTITIONS, 1)

    async def as_said() -> bool:
        return await plan(client, LOCAL_PARTITIONS) == []

    await until("the settings of the catalogue", as_said)
    answers = await client.describe_configs([ConfigResource(ConfigResourceType.TOPIC, LETTERS)])
    settings = {entry[0]: entry[1] for answer in answers for resource in answer.resources for entry in resource[4]}
    assert settings["segment.ms"] == "3600000"


@pytest.mark.parametrize("asked", [LOCAL_PARTITIONS - 1, LOCAL_PARTITIONS + 1])
async def test_another_number_of_partitions_is_refused(client: AIOKafkaAdminClient, asked: int) -> None:
    for refused in (plan(client, asked), apply(client, asked, 1)):
        with pytest.raises(TopicsDiffer, match=f"has 3 partitions, and {asked} are asked for"):
            await refused
    assert await plan(client, LOCAL_PARTITIONS) == []
