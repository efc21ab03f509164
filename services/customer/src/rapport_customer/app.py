"""The customer service, put together."""

from rapport_customer import api, consumers
from rapport_customer.commands.records import Records
from rapport_customer.settings import CustomerSettings
from rapport_shared.callers import CallerTokens
from rapport_shared.clock import Clock, system_clock
from rapport_shared.service import Plumbing, Service, database_check, housekeeping, message_metrics
from rapport_shared.web.application import make_application, token_authenticator


def build(settings: CustomerSettings, clock: Clock = system_clock) -> Service:
    """The service of `settings`. Does no I/O."""
    plumbing = Plumbing.of("customer", settings, clock)
    database, runner = plumbing.database, plumbing.commands()
    application = make_application(
        "Rapport customer",
        metrics=plumbing.metrics,
        authenticate=token_authenticator(CallerTokens(settings.token_secret), clock),
        checks=[database_check(database)],
        refresh_metrics=message_metrics(database, plumbing.metrics),
    )
    records = Records(settings.identifier_secret.encode(), clock)
    application.include_router(api.customers(database, runner, records, clock))
    application.include_router(api.units(database, runner, clock))
    return Service(
        "customer",
        settings,
        database,
        application,
        {
            "relay": [plumbing.relay()],
            "consumers": plumbing.consumers(consumers.touches(clock, plumbing.signal)),
            "housekeeping": [housekeeping(database, clock)],
        },
    )
