"""The role that carries out long computations: one process of the service at a time, one run after another."""

import logging
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

import asyncpg
import orjson

from rapport_scoring.commands.runs import KINDS, ask_when_due
from rapport_scoring.domain.rules import Rules
from rapport_scoring.rules_in_force import RulesInForce
from rapport_scoring.runs.backtesting import BacktestImpossible, look_back
from rapport_scoring.runs.base import Progress, local_today
from rapport_scoring.runs.fitting import ask_after_upgrade, fit
from rapport_scoring.runs.ranking import rank
from rapport_scoring.runs.simulation import simulate
from rapport_scoring.store import runs
from rapport_scoring.store.runs import Run
from rapport_shared.clock import Clock
from rapport_shared.database import CONNECTION_LOST, Database
from rapport_shared.messaging.outbox import OutboxSignal
from rapport_shared.roles import repeat

_log = logging.getLogger("rapport.runs")

REST_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class RunWorker:
    """Carries out runs. One that is interrupted is begun anew by whoever leads next."""

    database: Database
    rules: RulesInForce
    clock: Clock
    signal: OutboxSignal
    refit_every: timedelta
    rank_every: timedelta

    async def work(self) -> None:
        """Carries out runs for ever, and asks for those that are due by schedule."""
        await ask_after_upgrade(self.database, self.clock)
        await repeat("runs", self._step, REST_SECONDS)

    async def _step(self) -> bool:
        await ask_when_due(self.database, "fit", self.refit_every, self.clock)
        await ask_when_due(self.database, "ranking", self.rank_every, self.clock)
        return await self.work_once()

    async def work_once(self) -> bool:
        """Carries out the next run; whether there was one. A run that fails says so, and harms no other."""
        run = await runs.waiting_run(self.database, KINDS)
        if run is None:
            return False
        try:
            state, result = "finished", await self._result(run)
        except (asyncpg.PostgresError, *CONNECTION_LOST):
            raise  # the run is begun again
        except BacktestImpossible as error:
            state, result = "failed", {"problem": str(error)}
        except Exception as error:
            _log.exception("a run failed", extra={"run_id": str(run.run_id), "kind": run.kind})
            state, result = "failed", {"problem": f"It failed: {type(error).__name__}."}
        async with self.database.transaction() as connection:
            await runs.finish(connection, run.run_id, state, orjson.dumps(result).decode(), self.clock())
        self.signal.notify()
        return True

    async def _result(self, run: Run) -> dict[str, Any]:
        rules = await self.rules(self.database)
        return await self._carry_out(run, orjson.loads(run.request), rules, Progress(self.database, run.run_id))

    async def _carry_out(self, run: Run, request: dict[str, Any], rules: Rules, progress: Progress) -> dict[str, Any]:
        now = self.clock()
        today = await local_today(self.database, now)
        on = date.fromisoformat(request["as_of"]) if request.get("as_of") else today
        match run.kind:
            case "ranking":
                return await rank(self.database, rules, on, progress)
            case "fit":
                return await fit(self.database, rules, on, now, progress)
            case "backtest":
                until = date.fromisoformat(request["fit_until"])
                return await look_back(self.database, rules, until, request["horizon_days"], progress)
            case "simulation":
                policy = request["kind"], request["document"]
                return await simulate(self.database, rules, *policy, now, progress)
            case unknown:
                raise ValueError(f"{unknown} is no kind of run")
