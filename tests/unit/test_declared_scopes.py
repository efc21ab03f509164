"""Every route of every service says whom it serves."""

from typing import Any

import pytest
from fastapi import APIRouter

from rapport_customer.app import build as build_customer
from rapport_customer.settings import CustomerSettings
from rapport_gateway.app import build as build_gateway
from rapport_gateway.settings import GatewaySettings
from rapport_interaction.app import build as build_interaction
from rapport_interaction.settings import InteractionSettings
from rapport_scoring.app import build as build_scoring
from rapport_scoring.settings import ScoringSettings
from rapport_shared.web.routing import undeclared_routes
from rapport_ticket.app import build as build_ticket
from rapport_ticket.settings import TicketSettings

SERVICES: dict[str, tuple[Any, Any]] = {
    "customer": (build_customer, CustomerSettings),
    "interaction": (build_interaction, InteractionSettings),
    "ticket": (build_ticket, TicketSettings),
    "scoring": (build_scoring, ScoringSettings),
    "gateway": (build_gateway, GatewaySettings),
}


@pytest.mark.parametrize("name", SERVICES)
async def test_every_route_declares_its_scope_or_that_it_is_public(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for owner in ("CUSTOMER", "INTERACTION", "TICKET", "SCORING"):
        monkeypatch.setenv(f"RAPPORT_{owner}_URL", "http://127.0.0.1:1")
    for secret in ("TOKEN", "IDENTIFIER"):
        monkeypatch.setenv(f"RAPPORT_{secret}_SECRET", "s" * 32)
    monkeypatch.setenv("RAPPORT_KAFKA", "127.0.0.1:1")
    monkeypatch.setenv("RAPPORT_DATABASE", "postgresql://nobody@127.0.0.1:1/nothing")
    build, settings = SERVICES[name]
    assert undeclared_routes(build(settings()).api.router) == []


def test_a_route_that_declares_nothing_is_found() -> None:
    routes = APIRouter()

    @routes.get("/open")
    async def open_to_all() -> None:
        """Serves everybody, without saying so."""

    outer = APIRouter()
    outer.include_router(routes)
    assert undeclared_routes(outer) == ["GET /open"]
