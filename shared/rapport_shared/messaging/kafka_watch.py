"""Whether Kafka answers: each process asks a broker once a second, and remembers when one last answered."""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiokafka.conn import collect_hosts, create_conn
from aiokafka.errors import KafkaError
from aiokafka.protocol.metadata import MetadataRequest

from rapport_shared.roles import repeat

_log = logging.getLogger("rapport.kafka")

ASK_SECONDS = 1.0
PATIENCE_SECONDS = 3.0
"""How long one answer is waited for. A broker that hangs keeps its connections open, so nothing else ends the wait."""
SILENCE_SECONDS = 5.0
"""After so much silence Kafka counts as away."""


@dataclass(slots=True)
class KafkaWatch:
    """Knows how long no broker has answered. Asks for no topics, to keep the answer cheap."""

    servers: str
    now: Callable[[], float] = time.monotonic
    _answered_at: float | None = None
    _begun_at: float | None = None
    _away: bool = False
    _connection: Any = field(default=None, repr=False)

    async def run(self) -> None:
        """Asks for ever. Logs one line when Kafka goes away and one when it is back."""
        self._begun_at = self.now()
        try:
            await repeat("kafka watch", self._ask_once, ASK_SECONDS)
        finally:
            self._close()

    def silence(self) -> float:
        """Seconds since a broker last answered; since the watch began, before one first did."""
        since = self._answered_at if self._answered_at is not None else self._begun_at
        return 0.0 if since is None else max(0.0, self.now() - since)

    async def check(self) -> str | None:
        """A readiness check: why Kafka counts as away, or None."""
        if self._answered_at is None:
            return "Kafka has not answered yet"
        silence = self.silence()
        return f"Kafka has not answered for {silence:.0f} s" if silence > SILENCE_SECONDS else None

    async def _ask_once(self) -> bool:
        if await self._answers():
            self._answered_at = self.now()
        self._note_change()
        return False

    def _note_change(self) -> None:
        away = self.silence() > SILENCE_SECONDS
        if away and not self._away:
            _log.error("Kafka does not answer", extra={"duration_ms": int(self.silence() * 1000)})
        if self._away and not away:
            _log.info("Kafka answers again")
        self._away = away

    async def _answers(self) -> bool:
        for host, port, _ in collect_hosts(self.servers):
            try:
                async with asyncio.timeout(PATIENCE_SECONDS):
                    await self._ask(host, port)
                return True
            except (KafkaError, OSError, TimeoutError):
                self._close()
        return False

    async def _ask(self, host: str, port: int) -> None:
        if self._connection is None or not self._connection.connected():
            self._connection = await create_conn(host, port, client_id="rapport-watch", request_timeout_ms=3000)
        await self._connection.send(MetadataRequest([]))

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
