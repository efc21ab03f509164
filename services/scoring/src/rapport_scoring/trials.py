"""Trying a policy: a run is asked for and waited for; on a large base its result is read when it is there."""

from dataclasses import dataclass
from typing import Any, Final

import orjson
from pydantic import BaseModel

from rapport_scoring.commands.policies import SEGMENT
from rapport_scoring.commands.runs import ask
from rapport_scoring.results import has_ended
from rapport_scoring.schemas.trials import SegmentTrial, ValuesTrial
from rapport_scoring.store import runs
from rapport_shared.clock import Clock
from rapport_shared.database import Database
from rapport_shared.policies import PolicyKind
from rapport_shared.waiting import look_until

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
        run = await look_until(lambda: runs.read_run(self.database, run_id), has_ended, WAIT_SECONDS, LOOK_SECONDS)
        if run is None or not has_ended(run):
            return {"run_id": str(run_id), "state": "running"}
        return {"run_id": str(run_id), "state": run.state, **orjson.loads(run.result or "{}")}
