"""The composition root of the scoring service."""

from datetime import timedelta
from typing import cast

from rapport_scoring.api import runs, segments, values
from rapport_scoring.commands.policies import KINDS
from rapport_scoring.consumers import subscription
from rapport_scoring.drain import Drain
from rapport_scoring.rules_in_force import RulesInForce
from rapport_scoring.runs.worker import RunWorker
from rapport_scoring.settings import ScoringSettings
from rapport_scoring.stream import Worker
from rapport_scoring.timers import timers
from rapport_scoring.trials import Trial, trial_model
from rapport_shared.callers import CallerTokens
from rapport_shared.clock import system_clock
from rapport_shared.roles import housekeeping
from rapport_shared.service import Plumbing, Service
from rapport_shared.settings import ServiceSettings
from rapport_shared.web.application import make_application, token_authenticator
from rapport_shared.web.policies import policies


def build(settings: ServiceSettings) -> Service:
    """The service, wired and not yet started."""
    own = cast(ScoringSettings, settings)
    plumbing = Plumbing.of("scoring", own, system_clock)
    database, metrics, signal, clock = plumbing.database, plumbing.metrics, plumbing.signal, plumbing.clock
    application = make_application(
        "Rapport scoring",
        metrics=metrics,
        authenticate=token_authenticator(CallerTokens(own.token_secret), clock),
        checks=plumbing.checks(),
        refresh_metrics=plumbing.gathering(),
        description="What customers are worth, with the ledger lines that add up.",
    )
    rules = RulesInForce()
    runner = plumbing.commands()
    application.include_router(values.router(database, rules))
    application.include_router(runs.runs(database, runner, clock))
    application.include_router(runs.results(database))
    application.include_router(segments.segments(database, rules))
    for kind in KINDS:
        trial = Trial(database, clock, kind.kind)
        application.include_router(policies(kind, database, runner, clock, trial, trial_model(kind)))
    reading = subscription(rules, clock, signal)
    drain = Drain("scoring", database, own.kafka, reading, metrics, clock, own.batch_size, plumbing.pace(reading))
    worker = Worker(own.kafka, own.worker_group, own.work_directory, reading.topics, drain)
    long = RunWorker(
        database,
        rules,
        clock,
        signal,
        refit_every=timedelta(hours=own.refit_hours),
        rank_every=timedelta(hours=own.ranking_hours),
    )
    return Service(
        "scoring",
        own,
        database,
        application,
        {
            "relay": [plumbing.relay()],
            "consumers": [worker.run, timers(database, rules, clock, signal, lambda: drain.caught_up)],
            "runs": [plumbing.led("runs", long.work)],
            "housekeeping": [housekeeping(database, clock)],
        },
        beside_api=[plumbing.kafka.run],
    )
