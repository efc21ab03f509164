"""Golden messages of the intake: a touchpoint of every kind."""

import json
from collections.abc import Mapping
from typing import Any

from rapport_shared.contract_documents.golden.story import SECRET, Golden, key_of
from rapport_shared.contracts.codec import encode_touchpoint
from rapport_shared.contracts.interaction import IdentifierType
from rapport_shared.contracts.touchpoints import parse_touchpoint
from rapport_shared.contracts.touchpoints.examples import EXAMPLES
from rapport_shared.intake_headers import signed_headers


def reported_touchpoints() -> list[Golden]:
    """The examples of all kinds, as the gateway sends them."""
    found = []
    for kind, body in EXAMPLES.items():
        touchpoint = parse_touchpoint(body, strict=True)
        value = json.dumps(body, ensure_ascii=False).encode()
        further = signed_headers(SECRET, str(touchpoint.id), value, {"phone"}, "CN")
        message = encode_touchpoint(touchpoint, value, _report_key(body), further)
        name = "custom" if kind.startswith("custom.") else kind
        found.append(Golden(f"touchpoints/{name}", message, touchpoint))
    return found


def _report_key(body: Mapping[str, Any]) -> str:
    addressable = [stated for stated in body.get("identifiers", ()) if IdentifierType(stated["type"]).addressable]
    return key_of(addressable[0]) if addressable else str(body["id"])
