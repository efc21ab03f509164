"""What the gateway does besides its API: it keeps the view, publishes states, sends imports, forgets what is old."""

from collections.abc import Callable
from datetime import timedelta

from rapport_gateway.access.store.tokens import forget_tokens
from rapport_gateway.imports.likeness import by_likeness, customer_service
from rapport_gateway.imports.registers import view_matcher
from rapport_gateway.imports.store import forget_old
from rapport_gateway.imports.worker import ImportWorker
from rapport_gateway.intake.producer import IntakeProducer
from rapport_gateway.intake.store import accepted
from rapport_gateway.projection.hub import Hub
from rapport_gateway.projection.projector import Projector
from rapport_gateway.projection.rebuild import keep_working
from rapport_gateway.projection.state_topic import StatePublisher
from rapport_gateway.projection.store.runs import Run, enter, find_run, live_run, notify_written
from rapport_gateway.projection.store.views import prune_changes
from rapport_gateway.settings import GatewaySettings
from rapport_shared.callers import CallerTokens
from rapport_shared.database import Connection, Database
from rapport_shared.messaging.cursor_consumer import CursorConsumer
from rapport_shared.policy_registers import FIELDS_PLACE, policy_register
from rapport_shared.roles import Role, housekeeping
from rapport_shared.service import Plumbing


def roles(
    plumbing: Plumbing,
    settings: GatewaySettings,
    open_run: Callable[[Run], Database],
    hub: Hub,
    producer: IntakeProducer,
) -> dict[str, list[Role]]:
    """The roles of the gateway by the name of their group."""
    database, clock = plumbing.database, plumbing.clock
    publisher = StatePublisher(database, open_run, settings.kafka, clock)
    importer = _importer(plumbing, settings)
    return {
        "api-support": [hub.watch, producer.run],
        "relay": [plumbing.relay()],
        "consumers": [
            *_projections(plumbing, settings, open_run),
            *plumbing.consumers(policy_register(FIELDS_PLACE)),
            plumbing.led("state", publisher.run),
        ],
        "imports": [plumbing.led("imports", importer.run)],
        "housekeeping": [_housekeeping(plumbing, settings)],
    }


def _importer(plumbing: Plumbing, settings: GatewaySettings) -> ImportWorker:
    database, clock = plumbing.database, plumbing.clock
    matcher, tokens = view_matcher(database), CallerTokens(settings.token_secret)
    return ImportWorker(
        database,
        IntakeProducer(settings.kafka, settings.produce_patience_ms),
        matcher,
        by_likeness(matcher, customer_service(settings.customer_url, tokens, clock)),
        settings.identifier_secret,
        clock,
        settings.phone_region,
    )


def _housekeeping(plumbing: Plumbing, settings: GatewaySettings) -> Role:
    clock = plumbing.clock

    async def forget(connection: Connection) -> None:
        await accepted.forget_old(connection, clock())
        await forget_tokens(connection, clock())
        run = await live_run(connection)
        await enter(connection, run)
        await prune_changes(connection, clock() - timedelta(hours=settings.changes_kept_hours))

    async def forget_imports(connection: Connection) -> None:
        await forget_old(connection, clock())

    return housekeeping(plumbing.database, clock, forget, forget_imports)


def _projections(plumbing: Plumbing, settings: GatewaySettings, open_run: Callable[[Run], Database]) -> list[Role]:
    """The roles that keep the live run, and one that is being built, up with the topics."""

    async def project(run: Run) -> None:
        async with open_run(run) as tables:

            async def announce() -> None:
                async with tables.connection() as connection:
                    await notify_written(connection)

            subscription = Projector(run, tables, plumbing.clock, announce).subscription()
            await CursorConsumer(
                plumbing.name,
                tables,
                settings.kafka,
                subscription,
                plumbing.metrics,
                plumbing.clock,
                settings.batch_size,
                plumbing.pace(subscription),
            ).run()

    async def live() -> Run | None:
        async with plumbing.database.connection() as connection:
            return await live_run(connection)

    async def building() -> Run | None:
        async with plumbing.database.connection() as connection:
            return await find_run(connection, "building")

    return [lambda: keep_working(live, project), lambda: keep_working(building, project)]
