"""`python -m deploy.contracts [--check | --release]`: documents of the contracts and the five APIs, the dashboard."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from deploy import dashboard
from rapport_customer.app import build as build_customer
from rapport_customer.settings import CustomerSettings
from rapport_gateway.api import document as gateway_document
from rapport_gateway.app import build as build_gateway
from rapport_gateway.settings import GatewaySettings
from rapport_interaction.app import build as build_interaction
from rapport_interaction.settings import InteractionSettings
from rapport_scoring.app import build as build_scoring
from rapport_scoring.settings import ScoringSettings
from rapport_shared.contract_documents.command_line import run
from rapport_shared.contract_documents.documents import contract_documents
from rapport_shared.contract_documents.files import Documents, json_text
from rapport_shared.contracts.catalogue import SERVICES, Service
from rapport_shared.service import Service as Built
from rapport_ticket.app import build as build_ticket
from rapport_ticket.settings import TicketSettings

FOLDER: Final = "docs/openapi"
OWNER_OPERATIONS: Final = "services/gateway/src/rapport_gateway/owners/operations.json"

_SETTINGS: Final[dict[str, Any]] = {
    "kafka": "127.0.0.1:1",
    "database": "postgresql://nobody@127.0.0.1:1/nothing",
    "token_secret": "of the documents".ljust(32, "."),
    "identifier_secret": "of the documents".ljust(32, "."),
    **{f"{owner}_url": "http://127.0.0.1:1" for owner in ("customer", "interaction", "ticket", "scoring")},
}
"""Nothing is connected to: a service that is only built does no I/O."""

_SERVICES: Final[Mapping[Service, tuple[Callable[[Any], Built], Any]]] = {
    "customer": (build_customer, CustomerSettings),
    "interaction": (build_interaction, InteractionSettings),
    "ticket": (build_ticket, TicketSettings),
    "scoring": (build_scoring, ScoringSettings),
    "gateway": (build_gateway, GatewaySettings),
}


def build_service(name: Service) -> Built:
    """A service that connects to nothing, for its document."""
    build, settings = _SERVICES[name]
    return build(settings(**_SETTINGS))


def all_documents() -> Documents:
    """Everything that `make contracts` writes."""
    apis = {name: build_service(name).api for name in SERVICES}
    owners: dict[str, Any] = {name: api.openapi() for name, api in apis.items() if name != "gateway"}
    operations = gateway_document.owner_operations(owners)
    apis["gateway"].complete = partial(gateway_document.complete, operations=operations)
    contracts = contract_documents()
    texts = {
        **contracts.texts,
        **{f"{FOLDER}/{name}.json": json_text(api.openapi()) for name, api in apis.items()},
        OWNER_OPERATIONS: json_text(operations),
        dashboard.FILE: dashboard.dashboard_text(),
    }
    return Documents(texts, (*contracts.folders, FOLDER))


if __name__ == "__main__":
    run(all_documents())
