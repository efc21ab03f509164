"""Golden messages: one of every type, as it travels."""

import json
from functools import cache
from typing import Any, Final

from rapport_shared.contract_documents.files import json_text
from rapport_shared.contract_documents.golden.customers import customer_events
from rapport_shared.contract_documents.golden.interactions import interaction_events
from rapport_shared.contract_documents.golden.states import states
from rapport_shared.contract_documents.golden.story import Golden
from rapport_shared.contract_documents.golden.tickets import ticket_events
from rapport_shared.contract_documents.golden.touchpoints import reported_touchpoints
from rapport_shared.contract_documents.golden.values import score_events
from rapport_shared.contracts.codec import Message

FOLDER: Final = "shared/contracts/examples"


def path_of(golden: Golden) -> str:
    """Where a golden message is, in the repository."""
    return f"{FOLDER}/{golden.name}.json"


def texts() -> dict[str, str]:
    """All golden messages, by path."""
    return {path_of(golden): json_text(_as_json(golden.message)) for golden in golden_messages()}


@cache
def golden_messages() -> tuple[Golden, ...]:
    """Every event, every state with its tombstone, and a reported touchpoint of every kind."""
    return (
        *customer_events(),
        *interaction_events(),
        *ticket_events(),
        *score_events(),
        *states(),
        *reported_touchpoints(),
    )


def _as_json(message: Message) -> dict[str, Any]:
    return {
        "topic": message.topic,
        "key": message.key.decode(),
        "headers": {name: value.decode() for name, value in message.headers},
        "value": None if message.value is None else json.loads(message.value),
    }


__all__ = ["FOLDER", "Golden", "golden_messages", "path_of", "texts"]
