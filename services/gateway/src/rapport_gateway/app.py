"""The gateway, put together."""

from collections.abc import Callable
from datetime import timedelta

from rapport_gateway.access.audience import Audience
from rapport_gateway.access.credentials import Credentials
from rapport_gateway.access.tokens import forget_tokens
from rapport_gateway.access.visibility import Visibility
from rapport_gateway.api import (
    access,
    assets,
    customers,
    document,
    freshness,
    hand_overs,
    own_fields,
    rebuilds,
    relations,
    touchpoints,
)
from rapport_gateway.api import owners as owner_routes
from rapport_gateway.api.browsers import admit_browsers
from rapport_gateway.imports import api as api_imports
from rapport_gateway.imports.commands import Imports
from rapport_gateway.imports.likeness import by_likeness, customer_service
from rapport_gateway.imports.limits import MAX_FILE_BYTES
from rapport_gateway.imports.registers import view_matcher
from rapport_gateway.imports.store import forget_old
from rapport_gateway.imports.uploads import Uploads
from rapport_gateway.imports.worker import ImportWorker
from rapport_gateway.intake import accepted
from rapport_gateway.intake.accepted import AcceptedIds
from rapport_gateway.intake.channels import KnownChannels
from rapport_gateway.intake.own_fields import KnownFields
from rapport_gateway.intake.producer import IntakeProducer
from rapport_gateway.intake.touchpoints import TouchpointIntake
from rapport_gateway.owners.client import Owners
from rapport_gateway.owners.limits import Limits
from rapport_gateway.projection.hub import CHANNEL, Hub
from rapport_gateway.projection.projector import Projector
from rapport_gateway.projection.rebuild import keep_working
from rapport_gateway.projection.runs import Run, find_run, live_run
from rapport_gateway.projection.state_topic import StatePublisher
from rapport_gateway.projection.store.views import prune_changes
from rapport_gateway.reads.customers import Views
from rapport_gateway.reads.freshness import Freshness
from rapport_gateway.reads.value import Values
from rapport_gateway.settings import GatewaySettings
from rapport_shared.callers import CallerTokens
from rapport_shared.clock import Clock, system_clock
from rapport_shared.contracts.touchpoints import MAX_BATCH_BYTES
from rapport_shared.database import Connection, Database
from rapport_shared.messaging.cursor_consumer import CursorConsumer
from rapport_shared.messaging.leadership import hold_role
from rapport_shared.policy_registers import FIELDS_PLACE, policy_register
from rapport_shared.service import Plumbing, Role, Service, housekeeping
from rapport_shared.web.api_page import add_api_page
from rapport_shared.web.application import Check, make_application


def build(settings: GatewaySettings, clock: Clock = system_clock) -> Service:
    """The service of `settings`. Does no I/O."""
    plumbing = Plumbing.of("gateway", settings, clock)
    database, runner = plumbing.database, plumbing.commands()
    secret = settings.identifier_secret.encode()
    tokens = CallerTokens(settings.token_secret)

    def run_database(run: Run) -> Database:
        return Database(
            settings.database,
            size=settings.pool_size,
            application="rapport-gateway-view",
            search_path=f"{run.schema}, public",
        )

    hub = Hub(database, run_database)
    views = Views(hub, clock)
    producer = IntakeProducer(settings.kafka, settings.produce_patience_ms)
    fields = KnownFields(database, clock)
    intake = TouchpointIntake(
        producer,
        AcceptedIds(database, clock),
        secret,
        views.unit,
        views.whom,
        clock,
        KnownChannels(database, clock),
        fields.rules,
        settings.phone_region,
    )
    owners = Owners(
        {
            "customer": settings.customer_url,
            "interaction": settings.interaction_url,
            "ticket": settings.ticket_url,
            "scoring": settings.scoring_url,
        },
        tokens,
        clock,
    )
    credentials = Credentials(database, clock, demo_keys_allowed=settings.environment != "production")
    view_freshness = Freshness(views, database, settings.kafka, clock)
    application = make_application(
        "Rapport gateway",
        metrics=plumbing.metrics,
        authenticate=credentials.authenticate,
        checks=[*plumbing.checks(), _view_check(hub)],
        refresh_metrics=plumbing.gathering(view_freshness.gather(plumbing.metrics)),
        max_body_bytes=MAX_BATCH_BYTES,
        larger_bodies={"/v1/imports": MAX_FILE_BYTES},
        description="Report what happens at every channel; read one unified view of each customer.",
        complete=document.complete,
    )
    add_api_page(application)
    admit_browsers(application, settings.allowed_origins)
    application.include_router(touchpoints.router(intake, views))
    audience = Audience(Visibility(views))
    application.include_router(
        customers.router(
            views,
            audience,
            Values(views, owners),
            secret,
            settings.phone_region,
            settings.stream_heartbeat_s,
            fields.rules,
        )
    )
    application.include_router(own_fields.router(fields))
    application.include_router(relations.router(views, audience))
    application.include_router(assets.router(views, audience, secret))
    application.include_router(freshness.router(view_freshness))
    application.include_router(access.router(database, runner, clock))
    application.include_router(rebuilds.router(database, runner))
    application.include_router(hand_overs.router(views, audience, owners))
    application.include_router(owner_routes.router(owners, Limits(audience.visibility, settings.token_secret)))
    application.include_router(
        api_imports.router(Imports(database, views.unit, clock, fields.rules), Uploads(database, clock))
    )
    importer = ImportWorker(
        database,
        IntakeProducer(settings.kafka, settings.produce_patience_ms),
        view_matcher(database),
        by_likeness(view_matcher(database), customer_service(settings.customer_url, tokens, clock)),
        settings.identifier_secret,
        clock,
        settings.phone_region,
    )
    publisher = StatePublisher(database, run_database, settings.kafka, clock)

    async def forget(connection: Connection) -> None:
        await accepted.forget_old(connection, clock())
        await forget_tokens(connection, clock())
        run = await live_run(connection)
        await connection.execute(f"SET LOCAL search_path TO {run.schema}, public")
        await prune_changes(connection, clock() - timedelta(hours=settings.changes_kept_hours))

    async def forget_imports(connection: Connection) -> None:
        await forget_old(connection, clock())

    return Service(
        "gateway",
        settings,
        database,
        application,
        {
            "api-support": [hub.watch, producer.run],
            "relay": [plumbing.relay()],
            "consumers": [
                *_projections(plumbing, settings, run_database),
                *plumbing.consumers(policy_register(FIELDS_PLACE)),
                lambda: hold_role(database, "state", publisher.run, plumbing.metrics),
            ],
            "imports": [lambda: hold_role(database, "imports", importer.run, plumbing.metrics)],
            "housekeeping": [housekeeping(database, clock, forget, forget_imports)],
        },
        beside_api=[plumbing.kafka.run],
    )


def _projections(plumbing: Plumbing, settings: GatewaySettings, run_database: Callable[[Run], Database]) -> list[Role]:
    """The roles that keep the live run, and one that is being built, up with the topics."""

    async def project(run: Run) -> None:
        async with run_database(run) as tables:

            async def announce() -> None:
                async with tables.connection() as connection:
                    await connection.execute("SELECT pg_notify($1, '')", CHANNEL)

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


def _view_check(hub: Hub) -> Check:
    async def check() -> str | None:
        return None if hub.view is not None else "the view is not known yet"

    return Check("view", check)
