"""Whoever reads a topic takes every event of it, or passes it by: an event that came later ends no consumer."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

import rapport_customer.consumers
import rapport_interaction.consumers
import rapport_scoring.consumers
import rapport_ticket.consumers
from rapport_gateway.view.facts import read_fact
from rapport_scoring.rules_in_force import RulesInForce
from rapport_shared.clock import system_clock
from rapport_shared.contract_documents.golden import golden_messages
from rapport_shared.contracts.catalogue import EVENT_TOPICS, EVENT_TYPES
from rapport_shared.contracts.codec import Message
from rapport_shared.messaging.consumer import Subscription
from rapport_shared.messaging.outbox import OutboxSignal
from rapport_shared.messaging.records import Partition, Record
from rapport_shared.policy_registers import FIELDS_PLACE, MATCHING_PLACE, policy_register
from rapport_ticket.commands.playbook import Playbook
from rapport_ticket.commands.tickets import Tickets

NOW = datetime(2026, 3, 1, tzinfo=UTC)
SIGNAL = OutboxSignal()


async def _nothing(*_: Any) -> None:
    raise AssertionError("a record is read before anything is done")


READERS: list[Subscription[Any]] = [
    rapport_customer.consumers.touches(b"k" * 32, system_clock, SIGNAL),
    rapport_interaction.consumers.registers(system_clock, SIGNAL),
    rapport_interaction.consumers.profiles(),
    rapport_ticket.consumers.registers(),
    rapport_ticket.consumers.hand_overs(Tickets(b"k" * 32, system_clock), SIGNAL),
    rapport_ticket.consumers.occasions(Playbook(system_clock), SIGNAL),
    rapport_scoring.consumers.subscription(RulesInForce(), system_clock, SIGNAL),
    policy_register(FIELDS_PLACE, MATCHING_PLACE),
    Subscription("view", EVENT_TOPICS, read_fact, _nothing),
]


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.consumer)
def test_every_event_of_a_topic_is_read_by_whoever_reads_the_topic(reader: Subscription[Any]) -> None:
    topics = {topic.name for topic in reader.topics}
    read = set()
    for golden in golden_messages():
        message = golden.message
        if message.topic in topics:
            record = _record(message)
            if reader.uses(record):
                reader.decode(record)
            read.add(record.headers["ce_type"])
    assert read == {one.wire for one in EVENT_TYPES if one.topic.name in topics}


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.consumer)
def test_a_reader_uses_events_of_its_topics_alone_and_finds_something_in_each(reader: Subscription[Any]) -> None:
    topics = {topic.name for topic in reader.topics}
    messages = [golden.message for golden in golden_messages() if golden.message.topic in topics]
    found = {
        record.headers["ce_type"]
        for record in map(_record, messages)
        if reader.uses(record) and reader.decode(record) is not None
    }
    used = reader.types if reader.types is not None else {one.wire for one in EVENT_TYPES if one.topic.name in topics}
    assert found == used


def test_a_record_is_used_by_its_type_or_because_its_headers_cannot_be_read() -> None:
    reader = Subscription("one", (), _value, _nothing, types=frozenset({"wanted"}))
    assert reader.uses(_headed({"ce_type": "wanted"}))
    assert not reader.uses(_headed({"ce_type": "other"}))
    assert not reader.uses(_headed({}))
    assert reader.uses(replace(_headed({}), malformed_headers=True))


def _value(record: Record) -> bytes | None:
    return record.value


def _headed(headers: dict[str, str]) -> Record:
    return Record(Partition("topic", 0), 0, None, headers, b"{}", NOW)


def _record(message: Message) -> Record:
    headers = {name: value.decode() for name, value in message.headers}
    return Record(Partition(message.topic, 0), 0, message.key, headers, message.value, NOW)
