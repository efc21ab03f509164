"""A service's process: API, consumers and relay in one task group. Any crash ends it; a supervisor restarts it."""

import asyncio
import logging
import os
import signal
import sys
from argparse import ArgumentParser
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any, TypeVar

import asyncpg
import uvicorn
import uvloop

from rapport_shared.clock import Clock
from rapport_shared.contracts.catalogue import Service as ServiceName
from rapport_shared.database import CONNECTION_LOST, Database
from rapport_shared.gathering import Gathering, MetricSource, message_metrics
from rapport_shared.messaging.consumer import Subscription
from rapport_shared.messaging.cursor_consumer import CursorConsumer
from rapport_shared.messaging.kafka_watch import KafkaWatch
from rapport_shared.messaging.leadership import hold_role
from rapport_shared.messaging.outbox import OutboxSignal
from rapport_shared.messaging.pace import Pace, background_pace, urgent_pace
from rapport_shared.messaging.relay import Relay
from rapport_shared.roles import Role
from rapport_shared.settings import ServiceSettings
from rapport_shared.telemetry import Metrics, configure_logging, describe_error
from rapport_shared.web.application import Check
from rapport_shared.web.commands import CommandRunner
from rapport_shared.web.openapi import Application

_log = logging.getLogger("rapport.service")

SettingsType = TypeVar("SettingsType", bound=ServiceSettings)

DRAIN_SECONDS = 10.0
KEEP_ALIVE_SECONDS = 75
"""How long an idle HTTP connection is kept: longer than clients and proxies keep theirs (60 s, mostly), so that none
of them sends a request into a connection that is being closed."""


@dataclass(frozen=True, slots=True)
class Service:
    """What `run_service` runs: the API and the roles, by the names that `--only` takes."""

    name: str
    settings: ServiceSettings
    database: Database
    api: Application
    roles: Mapping[str, Sequence[Role]] = field(default_factory=dict)
    beside_api: Sequence[Role] = ()
    """What runs wherever the API runs."""


@dataclass(frozen=True, slots=True)
class Plumbing:
    """What every service's composition begins with."""

    name: ServiceName
    settings: ServiceSettings
    clock: Clock
    database: Database
    metrics: Metrics
    signal: OutboxSignal
    kafka: KafkaWatch

    @classmethod
    def of(cls, name: ServiceName, settings: ServiceSettings, clock: Clock) -> "Plumbing":
        """The plumbing of the service `name`. Does no I/O."""
        database = Database(settings.database, size=settings.pool_size, application=f"rapport-{name}")
        metrics = Metrics()
        metrics.process_info.labels(settings.process or name, version_of(name)).set(1)
        return cls(name, settings, clock, database, metrics, OutboxSignal(database), KafkaWatch(settings.kafka))

    def checks(self) -> list[Check]:
        """The readiness checks that every service has."""
        return [database_check(self.database), role_check(self.database), Check("kafka", self.kafka.check)]

    def gathering(self, *sources: MetricSource) -> Gathering:
        """What refreshes the metrics that every service has, and those of `sources`."""

        async def silence() -> None:
            self.metrics.kafka_silence.set(self.kafka.silence())

        common = (silence, message_metrics(self.database, self.metrics))
        return Gathering([*common, *sources], self.metrics, self.clock)

    def relay(self) -> Role:
        """The role that sends the outbox."""
        relay = Relay(self.name, self.database, self.settings.kafka, self.signal, self.metrics)
        return self.led("relay", relay.run)

    def led(self, name: str, body: Role) -> Role:
        """A role whose `body` runs in one process of the service at a time."""
        return lambda: hold_role(self.database, name, body, self.metrics)

    def consumers(self, *subscriptions: Subscription[Any]) -> list[Role]:
        """A role for each lane of each subscription."""
        return [
            CursorConsumer(
                self.name,
                self.database,
                self.settings.kafka,
                subscription,
                self.metrics,
                self.clock,
                self.settings.batch_size,
                self.pace(subscription),
                lane,
                self.settings.lanes,
            ).run
            for subscription in subscriptions
            for lane in range(self.settings.lanes)
        ]

    def pace(self, subscription: Subscription[Any]) -> Pace:
        """The pace of the consumer of `subscription`."""
        if subscription.urgent:
            return urgent_pace(self.settings.rest_ms / 1000)
        return background_pace(self.settings.background_rest_ms / 1000)

    def commands(self) -> CommandRunner:
        """What carries out commands."""
        return CommandRunner(self.database, self.signal, self.clock)


class Stopped(Exception):
    """The process was asked to end."""


async def run_service(service: Service, only: frozenset[str] = frozenset()) -> None:
    """Runs the service until SIGTERM or SIGINT, then lets requests end (at most ten seconds) and stops the roles.

    Raises what broke a role, as an exception group.
    """
    server = uvicorn.Server(_server_configuration(service))
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    wanted = only or frozenset({"api", *service.roles})
    _log.info(
        "starting",
        extra={
            "version": version_of(service.name),
            "address": service.settings.listen,
            "roles": sorted(wanted),
            "settings": service.settings.shown(),
        },
    )
    try:
        async with service.database, asyncio.TaskGroup() as group:
            if "api" in wanted:
                group.create_task(_serve(server))
                for role in service.beside_api:
                    group.create_task(_endless(role))
            for name, roles in service.roles.items():
                if name in wanted:
                    for role in roles:
                        group.create_task(_endless(role))
            group.create_task(_stop(stopping, server, "api" in wanted))
    except* Stopped:
        _log.info("stopped")


async def _stop(stopping: asyncio.Event, server: uvicorn.Server, serving: bool) -> None:
    await stopping.wait()
    server.should_exit = True
    if serving:
        async with asyncio.timeout(DRAIN_SECONDS + 1):
            while server.started:  # noqa: ASYNC110 - uvicorn offers no event for it
                await asyncio.sleep(0.02)
    raise Stopped


async def _serve(server: uvicorn.Server) -> None:
    await server._serve()
    server.started = False
    if not server.should_exit:
        raise RuntimeError("the HTTP server ended")


async def _endless(role: Role) -> None:
    await role()
    raise RuntimeError("a role ended by itself")


def _server_configuration(service: Service) -> uvicorn.Config:
    host, port = service.settings.listen_address
    return uvicorn.Config(
        service.api,
        host=host,
        port=port,
        loop="none",
        http="httptools",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=int(DRAIN_SECONDS),
        server_header=False,
        backlog=2048,
    )


def database_check(database: Database) -> Check:
    """The readiness check `database`: it answers."""

    async def check() -> str | None:
        try:
            async with asyncio.timeout(3):
                await database.fetch_value("SELECT 1")
        except (asyncpg.PostgresError, *CONNECTION_LOST) as error:
            return f"the database does not answer ({type(error).__name__})"
        return None

    return Check("database", check)


def role_check(database: Database) -> Check:
    """The readiness check `roles`: none is halted. A database that is away is another check's."""

    async def check() -> str | None:
        try:
            async with asyncio.timeout(3):
                halted = await database.fetch("SELECT role, reason FROM halt ORDER BY role")
        except (asyncpg.PostgresError, *CONNECTION_LOST):
            return None
        return "; ".join(f"{row['role']} is halted: {row['reason']}" for row in halted) or None

    return Check("roles", check)


def version_of(name: str) -> str:
    """The version of the service `name` that is installed."""
    return version(f"rapport-{name}")


def main(
    name: str,
    settings_type: type[SettingsType],
    build: Callable[[SettingsType], Service],
    arguments: Sequence[str] | None = None,
) -> None:
    """The command line of a service: `run [--only api,relay,consumers]` and `migrate`."""
    parser = ArgumentParser(prog=f"rapport_{name}", description=f"Rapport's {name} service.")
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="run the service")
    run.add_argument("--only", default="", help="roles to run, separated by commas: api, relay, consumers")
    commands.add_parser("migrate", help="bring the database to the newest migration")
    chosen = parser.parse_args(arguments)
    settings = settings_type()
    configure_logging(settings.process or name, settings.log_level)
    if chosen.command == "migrate":
        from rapport_shared.migrations import migrate  # here, for Alembic takes longer to import than all the rest

        migrate(f"rapport_{name}", settings.database)
        return
    only = frozenset(part for part in chosen.only.split(",") if part)
    os.nice(settings.niceness)
    try:
        uvloop.run(run_service(build(settings), only))
    except* Exception as failures:
        error, places = describe_error(failures)
        _log.critical("the process ends", extra={"error": error, "place": places})
        sys.exit(1)
