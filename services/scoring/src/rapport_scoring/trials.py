"""Trying a policy: a run is asked for and waited for; on a large base its result is read when it is there."""

import asyncio
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import orjson
from pydantic import BaseModel

from rapport_scoring.commands.policies import SEGMENT
from rapport_scoring.commands.runs import ask
from rapport_scoring.results import ENDED
from rapport_scoring.schemas.trials import SegmentTrial, ValuesTrial
from rapport_scoring.store import runs
from rapport_shared.clock import Clock
from rapport_shared.database import Database
from rapport_shared.policies import PolicyKind

WAIT_SECONDS: Final = 20.0
LOOK_SECONDS: Final = 0.2


def trial_model(kind: PolicyKind[Any]) -> type[BaseModel]:
    """The model of what trying a policy of this kind answers."""
    return SegmentTrial if kind is SEGMENT else ValuesTrial


@dataclass(frozen=True, slots=True)
class Trial:
    """Tries documents of one kind of policy on what was recorded; changes nothing."""

    database: Database
    clock: Clock
    kind: str

    async def __call__(self, document: BaseModel) -> dict[str, Any]:
        """What the document would do, or, where that takes longer, the run at `GET /v1/value/runs/{run_id}`."""
        request = {"kind": self.kind, "document": document.model_dump(mode="json", exclude_unset=True)}
        async with self.database.transaction() as connection:
            run_id = await ask(connection, "simulation", request, "simulate", self.clock)
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                return await self._result(run_id)
        except TimeoutError:
            return {"run_id": str(run_id), "state": "running"}

    async def _result(self, run_id: UUID) -> dict[str, Any]:
        while True:
            run = await runs.read_run(self.database, run_id)
            if run is not None and run.state in ENDED:
                return {"run_id": str(run_id), "state": run.state, **orjson.loads(run.result or "{}")}
            await asyncio.sleep(LOOK_SECONDS)
