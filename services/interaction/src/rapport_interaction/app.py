"""The interaction service, put together."""

from datetime import timedelta

from rapport_interaction import consumers, store
from rapport_interaction.api import quarantine, touchpoints
from rapport_interaction.domain.readings import Normaliser
from rapport_interaction.settings import InteractionSettings
from rapport_shared.callers import CallerTokens
from rapport_shared.clock import Clock, system_clock
from rapport_shared.database import Connection, Database
from rapport_shared.gathering import MetricSource
from rapport_shared.policy_registers import FIELDS_PLACE, MATCHING_PLACE, policy_register
from rapport_shared.roles import housekeeping
from rapport_shared.service import Plumbing, Service
from rapport_shared.telemetry import Metrics
from rapport_shared.web.application import make_application, token_authenticator

QUARANTINE_BODIES_KEPT = timedelta(days=30)


def build(settings: InteractionSettings, clock: Clock = system_clock) -> Service:
    """The service of `settings`. Does no I/O."""
    plumbing = Plumbing.of("interaction", settings, clock)
    database, signal = plumbing.database, plumbing.signal
    normaliser = Normaliser(settings.identifier_secret.encode(), settings.phone_region)
    application = make_application(
        "Rapport interaction",
        metrics=plumbing.metrics,
        authenticate=token_authenticator(CallerTokens(settings.token_secret), clock),
        checks=plumbing.checks(),
        refresh_metrics=plumbing.gathering(_quarantine(database, plumbing.metrics)),
    )
    application.include_router(touchpoints.router(database, plumbing.commands(), clock))
    application.include_router(quarantine.router(database, plumbing.commands(), normaliser))

    async def prune_quarantine(connection: Connection) -> None:
        await store.prune_quarantine(connection, clock() - QUARANTINE_BODIES_KEPT)

    return Service(
        "interaction",
        settings,
        database,
        application,
        {
            "relay": [plumbing.relay()],
            "consumers": plumbing.consumers(
                consumers.intake(normaliser, clock, signal),
                consumers.registers(clock, signal),
                consumers.profiles(),
                consumers.memberships(),
                consumers.evidence(normaliser.secret, clock, signal),
                policy_register(FIELDS_PLACE, MATCHING_PLACE),
            ),
            "housekeeping": [housekeeping(database, clock, prune_quarantine)],
        },
        beside_api=[plumbing.kafka.run],
    )


def _quarantine(database: Database, metrics: Metrics) -> MetricSource:
    async def gather() -> None:
        metrics.quarantine_rows.set(await store.count_quarantined(database))

    return gather
