"""One Kafka broker, controller in the same process, as a local process."""

from __future__ import annotations

import asyncio
import base64
import os
import subprocess
import uuid
from collections.abc import Mapping
from pathlib import Path

from deploy.local.errors import LocalStackError
from deploy.local.ports import LOOPBACK
from deploy.local.processes import Launch, LocalProcess
from deploy.local.readiness import kafka_answers, wait_until_ready

__all__ = ["KAFKA_HEAP", "KAFKA_SETTINGS", "KAFKA_VERSION", "LocalKafka"]

KAFKA_VERSION = "4.3.1"
KAFKA_HEAP = ("-Xms256m", "-Xmx384m")
# A broker of two cores that lives for a day at most: what the optimising compiler and a concurrent collector cost is
# more than they save.
_JVM = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:+ExitOnOutOfMemoryError")

# What one node needs, apart from its addresses and directories. Containers get the same.
KAFKA_SETTINGS: Mapping[str, str] = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    # A killed broker may only register anew when the session of its former self has run out.
    "broker.session.timeout.ms": "3000",
    "broker.heartbeat.interval.ms": "500",
    "auto.create.topics.enable": "false",
    "message.max.bytes": "1048576",
    "group.initial.rebalance.delay.ms": "0",
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "3",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "3",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "share.coordinator.state.topic.num.partitions": "3",
}

_START_SECONDS = 60
_LOG_SETTINGS = Path(__file__).with_name("log4j2.yaml")


class LocalKafka:
    """A broker from jars. Its data, properties and log live in `directory`."""

    def __init__(self, directory: Path, records: Path, java: Path, jars: Path, port: int, controller_port: int) -> None:
        self._directory = directory
        self._java = java
        self._jars = jars
        self._port = port
        self._controller_port = controller_port
        self._process = LocalProcess(self._launch(records))

    @property
    def name(self) -> str:
        return "kafka"

    @property
    def pid(self) -> int | None:
        return self._process.pid

    @property
    def bootstrap(self) -> str:
        return f"{LOOPBACK}:{self._port}"

    async def start(self) -> None:
        """Formats the storage of a first start, starts the broker and returns when it answers."""
        self._write_properties()
        if not (self._data / "meta.properties").exists():
            await asyncio.to_thread(self._format)
        self._process.start()
        await self._ready()

    async def adopt(self) -> bool:
        """Takes over a broker that an earlier run left behind; False when there is none that answers."""
        if not self._process.adopt():
            return False
        await self._process.resume()
        try:
            await self._ready()
        except LocalStackError:
            await self._process.kill()
            return False
        return True

    async def kill(self) -> None:
        await self._process.kill()

    async def pause(self) -> None:
        await self._process.pause()

    async def resume(self) -> None:
        await self._process.resume()

    async def stop(self) -> None:
        await self._process.stop(limit_seconds=20)

    async def restart(self) -> None:
        await self.stop()
        await self.start()

    @property
    def _data(self) -> Path:
        return self._directory / "data"

    @property
    def _properties(self) -> Path:
        return self._directory / "server.properties"

    async def _ready(self) -> None:
        try:
            await wait_until_ready("Kafka", lambda: kafka_answers(self.bootstrap), _START_SECONDS, self._process.alive)
        except LocalStackError as error:
            raise LocalStackError(f"{error}\n{self._process.last_words()}") from error

    def _command(self, main_class: str, *arguments: str) -> tuple[str, ...]:
        options = (f"-Dlog4j2.configurationFile={_LOG_SETTINGS}", "-Djava.awt.headless=true")
        return (str(self._java), *options, "-cp", f"{self._jars}/*", main_class, *arguments)

    def _launch(self, records: Path) -> Launch:
        java, *arguments = self._command("kafka.Kafka", str(self._properties))
        return Launch(
            name="kafka",
            command=(java, *KAFKA_HEAP, *_JVM, *arguments),
            log=self._directory / "broker.log",
            record=records / "kafka.pid",
            environment=dict(os.environ),
            directory=self._directory,
        )

    def _write_properties(self) -> None:
        settings = {
            **KAFKA_SETTINGS,
            "listeners": f"PLAINTEXT://{self.bootstrap},CONTROLLER://{LOOPBACK}:{self._controller_port}",
            "advertised.listeners": f"PLAINTEXT://{self.bootstrap}",
            "controller.quorum.bootstrap.servers": f"{LOOPBACK}:{self._controller_port}",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "log.dirs": str(self._data),
        }
        self._directory.mkdir(parents=True, exist_ok=True)
        self._properties.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))

    def _format(self) -> None:
        # a leading zero bit: the tool would take an id that begins with a dash for an option
        cluster = base64.urlsafe_b64encode(bytes([uuid.uuid4().bytes[0] & 0x7F]) + uuid.uuid4().bytes[1:]).decode()
        cluster = cluster.rstrip("=")
        arguments = ("format", "--cluster-id", cluster, "--config", str(self._properties), "--standalone")
        answer = subprocess.run(
            self._command("kafka.tools.StorageTool", *arguments), capture_output=True, text=True, check=False
        )
        if answer.returncode != 0:
            raise LocalStackError(f"Kafka's storage cannot be formatted:\n{answer.stdout}{answer.stderr}")
