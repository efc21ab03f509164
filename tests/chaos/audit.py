"""What must hold after a load, whatever was killed: each acknowledged fact is there, once, everywhere."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Mapping
from typing import Any

import asyncpg
import httpx

from deploy.local.services import SERVICES
from deploy.local.stack import Stack
from rapport_shared.contracts.catalogue import EVENT_TOPIC_OF, INTAKE
from rapport_shared.messaging.reader import BatchReader
from rapport_shared.messaging.relay import BATCH
from tests.chaos.load import Load, Person

__all__ = ["audit", "unsettled"]

_LOOK_SECONDS = 0.25
_TOPICS = {service: topic.name for service, topic in EVENT_TOPIC_OF.items()}
_AT_ONCE = 8
# Of customers whose past was loaded, and of timers that are about to fire.
_UNDECIDED = "SELECT count(*) FROM customer_score WHERE due_at <= now() + interval '5 seconds'"


async def unsettled(stack: Stack, *, quiet_seconds: float = 60) -> list[str]:
    """Waits until every outbox is empty, every cursor at the end of its partition and no decision due, twice in a row.

    Returns nothing then; what is behind, in words, once nothing has moved for so long.
    """
    loop = asyncio.get_running_loop()
    last: tuple[dict[str, int], dict[str, int]] | None = None
    moved_at = loop.time()
    async with BatchReader(stack.addresses.kafka, "audit", max_records=500) as reader:
        while True:
            seen = await _standing(stack, reader)
            behind, _ = seen
            if not behind and seen == last:
                return []
            if seen != last:
                last, moved_at = seen, loop.time()
            if loop.time() - moved_at > quiet_seconds:
                return [f"{name} is behind by {count}, and nothing moves" for name, count in behind.items()]
            await asyncio.sleep(_LOOK_SECONDS)


async def _standing(stack: Stack, reader: BatchReader) -> tuple[dict[str, int], dict[str, int]]:
    """What is behind, by how much; and where everything stands."""
    behind: dict[str, int] = {}
    positions: dict[str, int] = {}
    partitions = {str(p): p for p in await reader.partitions((*_TOPICS.values(), INTAKE.name))}
    for service in SERVICES:
        connection = await asyncpg.connect(stack.addresses.databases[service])
        try:
            waiting = await connection.fetchval("SELECT count(*) FROM outbox")
            undecided = await connection.fetchval(_UNDECIDED) if service == "scoring" else 0
            cursors = await connection.fetch("SELECT consumer, topic, partition, position FROM consumer_cursor")
        finally:
            await connection.close()
        if waiting:
            behind[f"outbox of {service}"] = waiting
        if undecided:
            behind["decisions of scoring"] = undecided
        positions |= {f"{service} {c['consumer']} {c['topic']}/{c['partition']}": c["position"] for c in cursors}
    bounds = await reader.bounds(partitions.values())
    for name, position in positions.items():
        _, end = bounds[partitions[name.rpartition(" ")[2]]]
        if position != end:
            behind[name] = end - position
    return behind, positions


async def audit(stack: Stack, load: Load, killed: Mapping[str, int]) -> list[str]:
    """What is wrong, each in words; nothing when all is well. Call it when everything is settled."""
    findings = list(load.given_up)
    for service in SERVICES:
        findings += await _database_findings(service, stack.addresses.databases[service])
    for service, topic in _TOPICS.items():
        disturbances = killed.get(service, 0) + killed.get("kafka", 0) + killed.get("postgres", 0)
        findings += await _topic_findings(stack, service, topic, BATCH * disturbances)
    async for finding in _view_findings(stack, load):
        findings.append(finding)
    return findings


async def _database_findings(service: str, dsn: str) -> list[str]:
    connection = await asyncpg.connect(dsn)
    try:
        letters = await connection.fetch("SELECT consumer, reason, count(*) FROM dead_letter GROUP BY 1, 2")
        halts = await connection.fetch("SELECT role, reason FROM halt")
        parked = await connection.fetch("SELECT aggregate, reason FROM parked_aggregate")
        holes = await connection.fetch(
            "SELECT aggregate, count(*), max(sequence) FROM event_log GROUP BY 1 HAVING count(*) <> max(sequence)"
        )
    finally:
        await connection.close()
    return [
        *(f"{service}: {row['count']} dead letters of {row['consumer']}: {row['reason']}" for row in letters),
        *(f"{service}: {row['role']} is halted: {row['reason']}" for row in halts),
        *(f"{service}: {row['aggregate']} is parked: {row['reason']}" for row in parked),
        *(f"{service}: {row['aggregate']} has {row['count']} events up to {row['max']}" for row in holes),
    ]


async def _topic_findings(stack: Stack, service: str, topic: str, most_repeats: int) -> list[str]:
    """The topic against the log: everything is there, in order, unaltered; repeats are few and equal."""
    connection = await asyncpg.connect(stack.addresses.databases[service])
    try:
        rows = await connection.fetch("SELECT event_id::text, aggregate, sequence, value FROM event_log")
    finally:
        await connection.close()
    logged = {row["event_id"]: row for row in rows}
    first: dict[str, bytes | None] = {}
    reached: defaultdict[str, int] = defaultdict(int)
    found: Counter[str] = Counter()
    async for record in _records(stack.addresses.kafka, topic):
        row = logged.get(record.event_id)
        if row is None:
            found["events that the log does not hold"] += 1
            continue
        if record.event_id in first:
            found["repeats"] += 1
            found["repeats with other bytes"] += first[record.event_id] != record.value
            continue
        first[record.event_id] = record.value
        found["events that differ from the log"] += row["value"] != record.value
        found["events out of order"] += row["sequence"] != reached[row["aggregate"]] + 1
        reached[row["aggregate"]] = row["sequence"]
    found["events of the log that are missing"] = len(logged) - len(first)
    if found["repeats"] <= most_repeats:
        del found["repeats"]
    return [f"{topic}: {count} {what}" for what, count in found.items() if count]


async def _records(kafka: str, topic: str) -> AsyncIterator[Any]:
    async with BatchReader(kafka, "audit", max_records=2000) as reader:
        bounds = await reader.bounds(await reader.partitions([topic]))
        for partition, (begin, end) in bounds.items():
            if begin == end:
                continue
            reader.assign({partition: begin})
            position = begin
            while position < end:
                for record in await reader.poll():
                    yield record
                    position = record.offset + 1


async def _view_findings(stack: Stack, load: Load) -> AsyncIterator[str]:
    headers = {"Authorization": f"Bearer {stack.key}"}
    async with httpx.AsyncClient(base_url=stack.gateway, headers=headers, timeout=30, trust_env=False) as client:
        for begin in range(0, len(load.people), _AT_ONCE):
            some = load.people[begin : begin + _AT_ONCE]
            for found in await asyncio.gather(*(_person_findings(client, person) for person in some)):
                for finding in found:
                    yield finding


async def _person_findings(client: httpx.AsyncClient, person: Person) -> list[str]:
    answer = await client.post("/v1/customers/lookup", json={"identifiers": person.identifiers})
    matches = answer.json()["matches"]
    if not matches:
        return [f"{person.phone}: nobody is known by it"]
    customer_id = matches[0]["customer_id"]
    view = (await client.get(f"/v1/customers/{customer_id}", follow_redirects=True)).json()
    seen = Counter([entry["event_id"] async for entry in _timeline(client, customer_id)])
    money = [{"amount": person.revenue, "currency": "CNY"}] if person.orders else []
    parts = view["value"]["contemporary"]["lifetime_parts"] if view["value"] else {}
    expected = {
        "name": (person.name, view["identity"]["display_name"] if person.name else None),
        "contacts": (person.contacts, view["interactions"]["count"] if view["interactions"] else 0),
        "orders": (person.orders, view["commerce"]["orders"] if view["commerce"] else 0),
        "revenue": (money, view["commerce"]["revenue"] if view["commerce"] else []),
        "settling": (False, view["commerce"]["settling"] if view["commerce"] else False),
        "value": (money, parts.get("revenue", [])),
        "tickets": (person.tickets, view["tickets"]["by_kind"].get("complaint", 0) if view["tickets"] else 0),
        "missing in the timeline": (0, len(person.touchpoints - seen.keys())),
        "twice in the timeline": (0, sum(count > 1 for count in seen.values())),
    }
    return [
        f"{person.phone}: {what} should be {should}, is {is_}"
        for what, (should, is_) in expected.items()
        if should != is_
    ]


async def _timeline(client: httpx.AsyncClient, customer_id: str) -> AsyncIterator[dict[str, Any]]:
    cursor = ""
    while True:
        path = f"/v1/customers/{customer_id}/timeline?limit=200{cursor}"
        page = (await client.get(path, follow_redirects=True)).json()
        for entry in page["entries"]:
            yield entry
        if not page["next_cursor"]:
            return
        cursor = f"&cursor={page['next_cursor']}"
