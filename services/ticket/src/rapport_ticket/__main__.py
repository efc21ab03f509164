"""`python -m rapport_ticket run | migrate`."""

from rapport_shared.service import main
from rapport_ticket.app import build
from rapport_ticket.settings import TicketSettings

main("ticket", TicketSettings, build)
