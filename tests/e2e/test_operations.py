"""What an operator sees and does, on five real services: readiness without Kafka, metrics, dead letters."""

import asyncio
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from uuid import uuid4

import httpx
from aiokafka import AIOKafkaProducer
from prometheus_client.parser import text_string_to_metric_families

from deploy.local.services import PROCESSES
from deploy.local.stack import Stack
from rapport_shared.contracts.catalogue import CUSTOMER_EVENTS
from tests.e2e.test_one_view import call, phone_number
from tests.support.conditions import until
from tests.support.stack import Caller


async def rapport(stack: Stack, *arguments: str) -> tuple[int, str]:
    """Runs `rapport` with everything of the stack named by options: exit code, and all that it said."""
    named = [f"--kafka={stack.infrastructure.kafka}", "--partitions=3"]
    named += [f"--database={dsn}" for dsn in stack.addresses.databases.values()]
    named += [f"--process={process}={stack.addresses.url(process)}" for process in PROCESSES]
    process = await asyncio.create_subprocess_exec(
        Path(sys.executable).with_name("rapport"),
        *arguments,
        *named,
        env={name: value for name, value in os.environ.items() if not name.startswith("RAPPORT_")},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    assert "Traceback" not in said.decode()
    return process.returncode or 0, said.decode()


async def metrics(stack: Stack, process: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """What a process exposes: values by series and labels."""
    await stack.supervisor.wait_ready(f"{stack.addresses.url(process)}/livez")
    async with httpx.AsyncClient(timeout=10, trust_env=False) as client:
        text = (await client.get(f"{stack.addresses.url(process)}/metrics")).raise_for_status().text
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def one(values: Mapping[tuple[str, tuple[tuple[str, str], ...]], float], name: str) -> float | None:
    """The greatest value of a metric, None where there is none."""
    return max((value for (series, _), value in values.items() if series == name), default=None)


async def test_processes_have_names_of_their_own(stack: Stack) -> None:
    for process in PROCESSES:
        series = await metrics(stack, process)
        names = [dict(labels)["process"] for name, labels in series if name == "rapport_process_info"]
        assert names == [process]
        assert f'"process": "{process}"' in stack.supervisor.log(process).read_text().splitlines()[0]
        assert '"message": "starting"' in stack.supervisor.log(process).read_text()


async def test_freshness_is_in_the_metrics_and_waiting_is_not_in_the_times(caller: Caller, stack: Stack) -> None:
    touchpoint_id = await caller.report(call(phone_number()))
    await caller.status(touchpoint_id)
    for process in ("gateway", "gateway-view"):
        values = await metrics(stack, process)
        lag, silence = one(values, "rapport_view_lag_seconds"), one(values, "rapport_kafka_silence_seconds")
        assert lag is not None
        assert silence is not None
        assert max(lag, silence) < 30
    values = await metrics(stack, "gateway")
    timed = {dict(labels)["route"] for name, labels in values if name == "rapport_request_seconds_count"}
    waited = {dict(labels)["route"] for name, labels in values if name == "rapport_waiting_requests_total"}
    assert "/v1/touchpoints" in timed
    assert "/v1/touchpoints/{touchpoint_id}" in waited
    newest = one(await metrics(stack, "gateway-view"), "rapport_consumer_newest_event_timestamp_seconds")
    assert newest is not None


async def test_without_kafka_only_readiness_says_so_and_reads_go_on(caller: Caller, stack: Stack) -> None:
    touchpoint_id = await caller.report(call(phone_number()))
    customer_id = (await caller.status(touchpoint_id))["customer_id"]
    await caller.until_status("GET", "/readyz", 200)
    await stack.infrastructure.broker.pause()
    try:
        await caller.until_status("GET", "/readyz", 503)
        amiss = (await caller.call("GET", "/readyz", 503)).json()["amiss"]
        assert len(amiss) == 1
        assert amiss[0].startswith("Kafka has not answered for")
        await caller.call("GET", "/readyz?exclude=kafka&exclude=roles", 200)
        await caller.call("GET", f"/v1/customers/{customer_id}", 200)
        code, said = await rapport(stack, "status")
        assert (code, said.count("Kafka has not answered")) == (1, len(PROCESSES))
        code, said = await rapport(stack, "doctor")
        assert (code, "AMISS kafka: no broker answers" in said) == (1, True)
    finally:
        await stack.infrastructure.broker.resume()
    for process in PROCESSES:
        await stack.supervisor.wait_ready(f"{stack.addresses.url(process)}/readyz")
    code, said = await rapport(stack, "status")
    assert code == 0, said


async def test_a_broken_record_is_listed_rejected_again_and_dismissed(caller: Caller, stack: Stack) -> None:
    personal = f"+86138{uuid4().int % 10**8:08}"
    async with AIOKafkaProducer(bootstrap_servers=stack.infrastructure.kafka) as producer:
        await producer.send_and_wait(CUSTOMER_EVENTS.name, personal.encode(), key=personal.encode())

    async def listed() -> str:
        _, said = await rapport(stack, "dead-letters", "list", "--service", "gateway", "--topic", CUSTOMER_EVENTS.name)
        return next((line.split()[0] for line in said.splitlines() if line.startswith("gateway/")), "")

    name = await until("the dead letter", listed)
    _, shown = await rapport(stack, "dead-letters", "show", name)
    assert personal not in shown
    code, said = await rapport(stack, "dead-letters", "replay", name, "--yes")
    assert (code, f"{name}  rejected again: " in said) == (1, True)
    code, said = await rapport(stack, "dead-letters", "dismiss", name, "--yes")
    assert (code, f"{name}  dismissed" in said) == (0, True)
    assert await listed() == ""
    code, said = await rapport(stack, "dead-letters", "replay", name, "--yes")
    assert (code, "decided already" in said) == (1, True)
