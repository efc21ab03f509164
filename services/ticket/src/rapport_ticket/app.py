"""The ticket service, put together."""

from functools import partial

from rapport_shared.callers import CallerTokens
from rapport_shared.clock import Clock, system_clock
from rapport_shared.policy_registers import FIELDS_PLACE, policy_register
from rapport_shared.roles import housekeeping
from rapport_shared.service import Plumbing, Service
from rapport_shared.web.application import make_application, token_authenticator
from rapport_shared.web.policies import policies
from rapport_ticket import api, consumers, schemas
from rapport_ticket.commands.playbook import PLAYBOOK, Playbook, PlaybookTrial, forget_occasions
from rapport_ticket.commands.tickets import Tickets
from rapport_ticket.settings import TicketSettings


def build(settings: TicketSettings, clock: Clock = system_clock) -> Service:
    """The service of `settings`. Does no I/O."""
    plumbing = Plumbing.of("ticket", settings, clock)
    database = plumbing.database
    application = make_application(
        "Rapport ticket",
        metrics=plumbing.metrics,
        authenticate=token_authenticator(CallerTokens(settings.token_secret), clock),
        checks=plumbing.checks(),
        refresh_metrics=plumbing.gathering(),
    )
    tickets = Tickets(settings.identifier_secret.encode(), clock, settings.phone_region)
    runner = plumbing.commands()
    application.include_router(api.router(database, runner, tickets))
    application.include_router(
        policies(PLAYBOOK, database, runner, clock, PlaybookTrial(database, clock), schemas.PlaybookTrial)
    )
    return Service(
        "ticket",
        settings,
        database,
        application,
        {
            "relay": [plumbing.relay()],
            "consumers": plumbing.consumers(
                consumers.registers(),
                consumers.hand_overs(tickets, plumbing.signal),
                consumers.occasions(Playbook(clock), plumbing.signal),
                policy_register(FIELDS_PLACE),
            ),
            "housekeeping": [housekeeping(database, clock, partial(forget_occasions, clock=clock))],
        },
        beside_api=[plumbing.kafka.run],
    )
