"""The Faust app, built by a function: which partitions are this worker's, and when to look at them.

Faust's agent does not process what it is handed. It waits until the drain has passed it, then acknowledges everything
of its queue that lies below the cursor; what Faust commits serves lag tools alone. `docs/decisions/faust.md` says why.
"""

import asyncio
import logging
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import faust
from faust.assignor.partition_assignor import PartitionAssignor

from rapport_scoring.drain import Drain
from rapport_scoring.faust_logs import drop_false_alarms
from rapport_shared.contracts.catalogue import Topic
from rapport_shared.messaging.reader import BatchReader
from rapport_shared.messaging.records import Partition
from rapport_shared.outages import OUTAGE_ERRORS, Outage
from rapport_shared.telemetry import describe_error

_log = logging.getLogger("rapport.stream")

Item = TypeVar("Item")

WATCHDOG_SECONDS = 15.0
STOP_SECONDS = 10.0
TICK_SECONDS = 1.0
LARGEST_BURST = 65_536
"""Above what comes in one burst: a full buffer makes Faust sleep a second."""


class StreamBroken(Exception):
    """Faust stopped, or hangs: the process must end, and another takes its partitions."""


class WholeAssignor(PartitionAssignor):
    """Faust's assignor, which leaves out topics that it does not see and never looks again; this one takes note.

    A broker that has just come back tells of no topics for a moment: partitions that were then left out belonged to
    nobody until the next rebalance, and nothing brings that about.
    """

    def assign(self, cluster: Any, member_metadata: Any) -> Any:
        """Assigns partitions, as Faust does."""
        wanted = {topic for member in member_metadata.values() for topic in member.subscription}
        app: Any = self.app
        app.left_out = sorted(topic for topic in wanted if not cluster.partitions_for_topic(topic))
        return super().assign(cluster, member_metadata)


@dataclass(frozen=True, slots=True)
class Worker(Generic[Item]):
    """A member of the worker group: drains the partitions that Faust assigns to this process."""

    servers: str
    group: str
    work_directory: Path
    topics: tuple[Topic, ...]
    drain: Drain[Item]

    async def run(self) -> None:
        """Works for ever. Raises `StreamBroken` when Faust is, and what the drain raises; both end the process."""
        drop_false_alarms()
        await _broker_answers(self.servers)
        self.work_directory.mkdir(parents=True, exist_ok=True)
        app = make_app(self)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self.drain.run())
                group.create_task(_watch(app))
                await app.start()
                await app.wait_until_stopped()
                raise StreamBroken("Faust stopped") from app.crash_reason
        finally:
            reason = sys.exception()
            await self.drain.let_go()
            await _stop(app, reason)


def make_app(worker: "Worker[Any]") -> faust.App:
    """The app of `worker`, not yet started. Made inside the running loop, which it uses."""
    app = _app_type(worker.drain)(
        worker.group,
        broker=[f"kafka://{address.strip()}" for address in worker.servers.split(",")],
        loop=asyncio.get_running_loop(),
        store="memory://",
        datadir=str(worker.work_directory),
        processing_guarantee="at_least_once",
        key_serializer="raw",
        value_serializer="raw",
        topic_allow_declare=False,
        topic_disable_leader=True,
        producer_threaded=False,
        # Faust is needed for what comes from now on: the drain reads the rest from the cursors.
        consumer_auto_offset_reset="latest",
        broker_session_timeout=10.0,
        broker_heartbeat_interval=3.0,
        broker_rebalance_timeout=30.0,
        broker_commit_interval=2.0,
        stream_buffer_maxsize=LARGEST_BURST,
        stream_wait_empty=True,
        web_enabled=False,
        PartitionAssignor=WholeAssignor,
    )
    channel = app.topic(
        *(topic.name for topic in worker.topics),
        key_type=bytes,
        value_type=bytes,
        key_serializer="raw",
        value_serializer="raw",
    )
    app.agent(channel, name="follow", concurrency=1)(_follower(worker.drain))
    app.on_partitions_assigned.connect(_assigner(worker.drain), weak=False)
    app.finalize()
    return app


def _app_type(drain: Drain[Any]) -> type[faust.App]:
    loop = asyncio.get_running_loop()

    class ScoringApp(faust.App):
        left_out: Sequence[str] = ()

        def on_rebalance_start(self) -> None:
            """Called on the consumer's thread, before Faust waits for its agents: lets go of everything."""
            super().on_rebalance_start()
            loop.call_soon_threadsafe(drain.assign, ())

    return ScoringApp


def _follower(drain: Drain[Any]) -> Any:
    async def follow(stream: Any) -> None:
        queue = stream.channel.queue
        async for event in stream.events():
            await drain.passed(_partition(event.message.tp), event.message.offset)
            for _ in range(queue.qsize()):
                waiting = queue.get_nowait()
                await drain.passed(_partition(waiting.message.tp), waiting.message.offset)
                waiting.ack()

    return follow


def _assigner(drain: Drain[Any]) -> Any:
    async def assigned(app: faust.App, partitions: Sequence[Any], **_: Any) -> None:
        drain.assign(_partition(partition) for partition in partitions)

    return assigned


def _partition(tp: Any) -> Partition:
    return Partition(tp.topic, tp.partition)


async def _broker_answers(servers: str) -> None:
    """Returns when a broker answers: Faust would end the process, and the API of it, for one that is away."""
    outage = Outage("stream")
    while True:
        try:
            async with BatchReader(servers, "rapport-scoring-start", max_records=1):
                return
        except OUTAGE_ERRORS as error:
            await outage.wait(error)


async def _watch(app: Any) -> None:
    """Ends the process when a rebalance does not, for Faust waits for ever for messages nobody acknowledges, or when
    one left topics out: started anew, it is a member that joins, and everything is assigned."""
    loop = asyncio.get_running_loop()
    since: float | None = None
    while True:
        await asyncio.sleep(TICK_SECONDS)
        since = (since or loop.time()) if app.rebalancing else None
        if since is not None and loop.time() - since > WATCHDOG_SECONDS:
            raise StreamBroken("a rebalance hangs")
        if app.left_out:
            raise StreamBroken(f"topics were not seen when partitions were assigned: {', '.join(app.left_out)}")


async def _stop(app: faust.App, reason: BaseException | None) -> None:
    # Faust passes over a cancellation while it waits for its agents: what has to end in time is not waited for.
    stopping = asyncio.ensure_future(app.stop())
    done, _ = await asyncio.wait([stopping], timeout=STOP_SECONDS)
    if not done:
        # Its consumer's thread cannot be ended from here, and would keep the process alive and in the group.
        error, places = describe_error(reason) if reason is not None else (None, None)
        _log.critical("the process ends", extra={"reason": "Faust does not stop", "error": error, "place": places})
        os._exit(1)
    stopping.result()
