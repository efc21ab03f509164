"""The topics of the cluster: `plan` lists how they differ from the catalogue, `apply` changes them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import TopicAlreadyExistsError, for_code

from rapport_shared.contracts.catalogue import TOPICS, Topic

LOCAL_PARTITIONS = 3
PRODUCTION_PARTITIONS = 12


class TopicsDiffer(Exception):
    """The topics cannot be changed to match the catalogue; the message names them."""


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between catalogue and cluster: a topic to create or configure, and the settings to give it."""

    topic: str
    action: str
    partitions: int = 0
    settings: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        settings = ", ".join(f"{name}={value}" for name, value in self.settings)
        return " ".join(
            part
            for part in (
                self.action,
                self.topic,
                f"({self.partitions} partitions)" if self.partitions else "",
                settings,
            )
            if part
        )


@asynccontextmanager
async def administration(servers: str) -> AsyncIterator[AIOKafkaAdminClient]:
    """An admin client, started. Raises a retriable `KafkaError` when no broker answers."""
    client = AIOKafkaAdminClient(bootstrap_servers=servers, client_id="rapport-topics")
    try:
        await client.start()
        yield client
    finally:
        await client.close()


async def plan(client: AIOKafkaAdminClient, partitions: int) -> list[Change]:
    """What `apply` would change. Raises `TopicsDiffer` for a topic with another number of partitions.

    That number is chosen once: with another one keys would move to other partitions, and aggregates lose their order.
    """
    described = {topic["topic"]: topic for topic in await client.describe_topics()}
    single_broker = len((await client.describe_cluster())["brokers"]) == 1
    changes: list[Change] = []
    for topic in TOPICS:
        wanted = topic.configuration(single_broker=single_broker)
        if topic.name not in described:
            changes.append(Change(topic.name, "create", partitions, tuple(sorted(wanted.items()))))
            continue
        changes.extend(await _differences(client, topic, wanted, len(described[topic.name]["partitions"]), partitions))
    return changes


async def apply(client: AIOKafkaAdminClient, partitions: int, replication: int) -> list[Change]:
    """Creates and configures the topics of the catalogue; returns the changes. May be repeated.

    Raises `TopicsDiffer` with Kafka's reasons; `create_topics` itself only answers them.
    """
    changes = await plan(client, partitions)
    created = [change for change in changes if change.action == "create"]
    if created:
        new = [
            NewTopic(change.topic, change.partitions, replication, topic_configs=dict(change.settings))
            for change in created
        ]
        _check(await client.create_topics(new), "topic_errors")
    for change in changes:
        if change.action == "configure":
            await _configure(client, change)
    return changes


async def _differences(
    client: AIOKafkaAdminClient, topic: Topic, wanted: dict[str, str], present: int, partitions: int
) -> list[Change]:
    changes: list[Change] = []
    if present != partitions:
        raise TopicsDiffer(
            f"{topic.name} has {present} partitions, and {partitions} are asked for: the number never changes, "
            "for a key keeps its partition"
        )
    settings = await _settings(client, topic.name)
    different = tuple(sorted((name, value) for name, value in wanted.items() if settings.get(name) != value))
    if different:
        changes.append(Change(topic.name, "configure", settings=different))
    return changes


async def _settings(client: AIOKafkaAdminClient, topic: str) -> dict[str, str]:
    answers = await client.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
    return {entry[0]: entry[1] for answer in answers for resource in answer.resources for entry in resource[4]}


async def _configure(client: AIOKafkaAdminClient, change: Change) -> None:
    # The old request replaces the whole configuration of a topic, so what else was set by hand is set again.
    settings = {**await _overridden(client, change.topic), **dict(change.settings)}
    answers = await client.alter_configs([ConfigResource(ConfigResourceType.TOPIC, change.topic, configs=settings)])
    for answer in answers:
        for resource in answer.resources:
            if resource[0]:
                raise TopicsDiffer(f"{change.topic}: {for_code(resource[0]).__name__}")


async def _overridden(client: AIOKafkaAdminClient, topic: str) -> dict[str, str]:
    dynamic_topic_config = 1
    answers = await client.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
    return {
        entry[0]: entry[1]
        for answer in answers
        for resource in answer.resources
        for entry in resource[4]
        if entry[3] == dynamic_topic_config
    }


def _check(response: Any, field: str) -> None:
    failures = [
        f"{error[0]}: {for_code(error[1]).__name__}"
        for error in getattr(response, field)
        if error[1] and for_code(error[1]) is not TopicAlreadyExistsError
    ]
    if failures:
        raise TopicsDiffer("; ".join(failures))
