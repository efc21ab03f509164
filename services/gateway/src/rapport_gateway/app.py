"""The gateway, put together."""

from collections.abc import Iterator

from fastapi import APIRouter

from rapport_gateway.access.audience import Audience
from rapport_gateway.access.credentials import Credentials
from rapport_gateway.access.visibility import Visibility
from rapport_gateway.api import (
    access,
    assets,
    customers,
    document,
    freshness,
    hand_overs,
    lookup,
    own_fields,
    rebuilds,
    relations,
    timeline,
    tokens,
    touchpoints,
)
from rapport_gateway.api import owners as owner_routes
from rapport_gateway.api.browsers import admit_browsers
from rapport_gateway.imports import api as api_imports
from rapport_gateway.imports.commands import Imports
from rapport_gateway.imports.limits import MAX_FILE_BYTES
from rapport_gateway.imports.uploads import Uploads
from rapport_gateway.intake.accepted import AcceptedIds
from rapport_gateway.intake.accepting import TouchpointIntake
from rapport_gateway.intake.channels import KnownChannels
from rapport_gateway.intake.own_fields import KnownFields
from rapport_gateway.intake.producer import IntakeProducer
from rapport_gateway.owners.client import Owners
from rapport_gateway.owners.limits import Limits
from rapport_gateway.projection.hub import Hub
from rapport_gateway.projection.store.runs import Run
from rapport_gateway.reads.customers import Views
from rapport_gateway.reads.freshness import Freshness
from rapport_gateway.reads.value import Values
from rapport_gateway.roles import roles
from rapport_gateway.settings import GatewaySettings
from rapport_shared.callers import CallerTokens
from rapport_shared.clock import Clock, system_clock
from rapport_shared.contracts.touchpoints import MAX_BATCH_BYTES
from rapport_shared.database import Database
from rapport_shared.service import Plumbing, Service
from rapport_shared.web.api_page import add_api_page
from rapport_shared.web.application import Check, make_application


def build(settings: GatewaySettings, clock: Clock = system_clock) -> Service:
    """The service of `settings`. Does no I/O."""
    plumbing = Plumbing.of("gateway", settings, clock)
    database, secret = plumbing.database, settings.identifier_secret.encode()

    def open_run(run: Run) -> Database:
        return Database(
            settings.database,
            size=settings.pool_size,
            application="rapport-gateway-view",
            search_path=f"{run.schema}, public",
        )

    hub = Hub(database, open_run)
    views = Views(hub, clock)
    producer = IntakeProducer(settings.kafka, settings.produce_patience_ms)
    fields = KnownFields(database, clock)
    intake = TouchpointIntake(
        producer,
        AcceptedIds(database, clock),
        secret,
        views.unit,
        views.find_customer,
        clock,
        KnownChannels(database, clock),
        fields.rules,
        settings.phone_region,
    )
    owners = Owners(settings.owner_urls, CallerTokens(settings.token_secret), clock)
    fresh = Freshness(views, database, settings.kafka, clock)
    credentials = Credentials(database, clock, demo_keys_allowed=settings.environment != "production")
    application = make_application(
        "Rapport gateway",
        metrics=plumbing.metrics,
        authenticate=credentials.authenticate,
        checks=[*plumbing.checks(), _view_check(hub)],
        refresh_metrics=plumbing.gathering(fresh.gather(plumbing.metrics)),
        max_body_bytes=MAX_BATCH_BYTES,
        larger_bodies={"/v1/imports": MAX_FILE_BYTES},
        description="Report what happens at every channel; read one unified view of each customer.",
        complete=document.complete,
    )
    add_api_page(application)
    admit_browsers(application, settings.allowed_origins)
    for router in _routers(plumbing, settings, views, intake, owners, fields, fresh):
        application.include_router(router)
    return Service(
        "gateway",
        settings,
        database,
        application,
        roles(plumbing, settings, open_run, hub, producer),
        beside_api=[plumbing.kafka.run],
    )


def _routers(
    plumbing: Plumbing,
    settings: GatewaySettings,
    views: Views,
    intake: TouchpointIntake,
    owners: Owners,
    fields: KnownFields,
    fresh: Freshness,
) -> Iterator[APIRouter]:
    database, clock, secret = plumbing.database, plumbing.clock, settings.identifier_secret.encode()
    audience, values, runner = Audience(Visibility(views)), Values(views, owners), plumbing.commands()
    yield touchpoints.router(intake, views)
    yield customers.router(views, audience, values, settings.stream_heartbeat_s)
    yield timeline.router(views, audience, values)
    yield lookup.router(views, audience, secret, settings.phone_region, fields.rules)
    yield own_fields.router(fields)
    yield relations.router(views, audience)
    yield assets.router(views, audience, secret)
    yield freshness.router(fresh)
    yield access.router(database, runner, clock)
    yield tokens.router(runner, clock)
    yield rebuilds.router(database, runner)
    yield hand_overs.router(views, audience, owners)
    yield owner_routes.router(owners, Limits(audience.visibility, settings.token_secret))
    yield api_imports.router(Imports(database, views.unit, clock, fields.rules), Uploads(database, clock))


def _view_check(hub: Hub) -> Check:
    async def check() -> str | None:
        return None if hub.view is not None else "the view is not known yet"

    return Check("view", check)
