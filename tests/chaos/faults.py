"""What is killed while a load runs: services by the supervisor, Kafka and PostgreSQL by the infrastructure."""

from __future__ import annotations

import asyncio
import random
from collections import Counter

from deploy.local.services import SERVICES
from deploy.local.stack import Stack
from tests.chaos.load import Acknowledged

__all__ = ["KILLABLE", "Faults"]

KILLABLE = (*SERVICES, "kafka", "postgres")


class Faults:
    """Kills by SIGKILL at random amounts of acknowledged touchpoints; each victim of a round once, in random order.

    A service dies with all its processes, and comes back by the supervisor; Kafka and PostgreSQL are started again at
    once. A service is not killed before it is ready again: one that has just begun to start has nothing to lose.
    """

    def __init__(self, seed: int, size: int, victims: tuple[str, ...] = KILLABLE, rounds: int = 1) -> None:
        drawn = random.Random(seed)
        order = [victim for _ in range(rounds) for victim in drawn.sample(victims, len(victims))]
        moments = sorted(drawn.randrange(size * 19 // 20) for _ in order)
        self.plan = list(zip(moments, order, strict=True))
        self.killed: Counter[str] = Counter()

    async def inflict(self, stack: Stack, acknowledged: Acknowledged) -> None:
        """Kills as planned; returns after the last."""
        for moment, victim in self.plan:
            await acknowledged.reach(moment)
            await _until_it_works(stack, victim)
            await self._kill(stack, victim)
            self.killed[victim] += 1

    async def _kill(self, stack: Stack, victim: str) -> None:
        servers = {"kafka": stack.infrastructure.broker, "postgres": stack.infrastructure.database}
        server = servers.get(victim)
        if server is None:
            processes = [name for name in stack.supervisor.names if name.partition("-")[0] == victim]
            await asyncio.gather(*(stack.supervisor.kill(name) for name in processes))
        else:
            await server.kill()
            await server.restart()


async def _until_it_works(stack: Stack, victim: str) -> None:
    if victim in SERVICES:
        await stack.supervisor.wait_ready(f"{stack.addresses.url(victim)}/readyz", limit_seconds=120)
