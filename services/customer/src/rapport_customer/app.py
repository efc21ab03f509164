"""The customer service, put together."""

from rapport_customer import consumers
from rapport_customer.api import customers, merges, parties, units
from rapport_customer.commands.policies import FIELDS, matching_kind
from rapport_customer.commands.quality import quality_of_the_day
from rapport_customer.commands.records import Records
from rapport_customer.match_preview import MatchPreview
from rapport_customer.roles import carry_out_hand_overs, match_newcomers
from rapport_customer.schemas.trials import FieldsTrialResult, MatchingTrialResult
from rapport_customer.settings import CustomerSettings
from rapport_customer.trials.fields import FieldsTrial
from rapport_customer.trials.matching import MatchingTrial
from rapport_shared.callers import CallerTokens
from rapport_shared.clock import Clock, system_clock
from rapport_shared.roles import housekeeping
from rapport_shared.service import Plumbing, Service
from rapport_shared.web.application import make_application, token_authenticator
from rapport_shared.web.policies import policies


def build(settings: CustomerSettings, clock: Clock = system_clock) -> Service:
    """The service of `settings`. Does no I/O."""
    plumbing = Plumbing.of("customer", settings, clock)
    database, runner = plumbing.database, plumbing.commands()
    application = make_application(
        "Rapport customer",
        metrics=plumbing.metrics,
        authenticate=token_authenticator(CallerTokens(settings.token_secret), clock),
        checks=plumbing.checks(),
        refresh_metrics=plumbing.gathering(),
    )
    records = Records(settings.identifier_secret.encode(), clock, settings.phone_region)
    application.include_router(customers.registration(runner, records))
    application.include_router(customers.customers(database, runner, records, clock))
    application.include_router(parties.relations(database, runner, clock))
    application.include_router(parties.hand_overs(database, runner, clock))
    application.include_router(merges.merges(database, runner, clock))
    application.include_router(merges.matching(MatchPreview(database, records.secret, clock, settings.phone_region)))
    application.include_router(merges.candidates(database, runner, clock))
    kind = matching_kind(records.secret)
    application.include_router(policies(kind, database, runner, clock, MatchingTrial(database), MatchingTrialResult))
    application.include_router(policies(FIELDS, database, runner, clock, FieldsTrial(database), FieldsTrialResult))
    application.include_router(units.quality(database, clock))
    application.include_router(units.units(database, runner, clock))
    return Service(
        "customer",
        settings,
        database,
        application,
        {
            "relay": [plumbing.relay()],
            "consumers": plumbing.consumers(consumers.touches(records.secret, clock, plumbing.signal)),
            "matcher": [plumbing.led("matcher", match_newcomers(database, clock, plumbing.signal))],
            "hand-overs": [plumbing.led("hand-overs", carry_out_hand_overs(database, clock, plumbing.signal))],
            "housekeeping": [housekeeping(database, clock, quality_of_the_day(clock))],
        },
        beside_api=[plumbing.kafka.run],
    )
