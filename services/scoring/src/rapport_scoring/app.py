"""The composition root of the scoring service."""

from typing import cast

from rapport_scoring import api
from rapport_scoring.consumers import subscription
from rapport_scoring.drain import Drain
from rapport_scoring.rules_in_force import RulesInForce
from rapport_scoring.settings import ScoringSettings
from rapport_scoring.stream import Worker
from rapport_shared.callers import CallerTokens
from rapport_shared.clock import system_clock
from rapport_shared.database import Database
from rapport_shared.messaging.leadership import hold_role
from rapport_shared.messaging.outbox import OutboxSignal
from rapport_shared.messaging.relay import Relay
from rapport_shared.service import Service, database_check, housekeeping, message_metrics
from rapport_shared.settings import ServiceSettings
from rapport_shared.telemetry import Metrics
from rapport_shared.web.application import make_application, token_authenticator


def build(settings: ServiceSettings) -> Service:
    """The service, wired and not yet started."""
    own = cast(ScoringSettings, settings)
    database = Database(own.database, size=own.pool_size, application="rapport-scoring")
    metrics, signal, clock = Metrics(), OutboxSignal(), system_clock
    application = make_application(
        "Rapport scoring",
        metrics=metrics,
        authenticate=token_authenticator(CallerTokens(own.token_secret), clock),
        checks=[database_check(database)],
        refresh_metrics=message_metrics(database, metrics),
        description="What customers are worth, with the ledger lines that add up.",
    )
    rules = RulesInForce()
    application.include_router(api.router(database, rules))
    relay = Relay("scoring", database, own.kafka, signal, metrics)
    reading = subscription(rules, clock, signal)
    drain = Drain("scoring", database, own.kafka, reading, metrics, clock, own.batch_size)
    worker = Worker(own.kafka, own.worker_group, own.work_directory, reading.topics, drain)
    return Service(
        "scoring",
        own,
        database,
        application,
        {
            "relay": [lambda: hold_role(database, "relay", relay.run, metrics)],
            "consumers": [worker.run],
            "housekeeping": [housekeeping(database, clock)],
        },
    )
