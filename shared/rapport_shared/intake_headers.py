"""What the gateway adds to a touchpoint on the intake topic, and how the interaction service knows that it did.

Anybody who may write to the topic can write headers. The signature binds them to the touchpoint's id and body, so that
only the holder of the deployment's identifier secret can set them, and nobody can move them to another touchpoint.
"""

import hashlib
import hmac
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

import orjson

from rapport_shared.contracts.catalogue import GATEWAY_SOURCE
from rapport_shared.contracts.envelope import Headers

MAY_VERIFY: Final = "rapport_mayverify"
REGION: Final = "rapport_region"
SIGNATURE: Final = "rapport_signature"
_PURPOSE: Final = "intake headers, first version"


@dataclass(frozen=True, slots=True)
class Vetting:
    """What the gateway found out about a touchpoint: the identifier types that the channel's key may verify, and the
    phone region of its unit or of the deployment. `vetted`: the gateway has checked unit, rights and own fields."""

    vetted: bool = False
    may_verify: frozenset[str] = frozenset()
    region: str | None = None


NOT_VETTED: Final = Vetting()
"""What is known of a touchpoint that did not come from the gateway, or that an unsigned header says came from it."""


def signed_headers(
    secret: bytes, touchpoint_id: str, body: bytes, may_verify: Collection[str], region: str | None
) -> Headers:
    """The headers that the gateway adds to the touchpoint `touchpoint_id` with the JSON `body`."""
    verifies, place = " ".join(sorted(may_verify)), region or ""
    signature = _signature(secret, touchpoint_id, body, verifies, place)
    found: list[tuple[str, bytes]] = [(MAY_VERIFY, verifies.encode())]
    if region:
        found.append((REGION, region.encode()))
    return (*found, (SIGNATURE, signature.encode()))


def read_vetting(secret: bytes, headers: Mapping[str, str], body: bytes | None) -> Vetting:
    """What the gateway said of a record; `NOT_VETTED` where the signature is missing or is not the gateway's."""
    if headers.get("ce_source") != GATEWAY_SOURCE or body is None or SIGNATURE not in headers:
        return NOT_VETTED
    verifies, region = headers.get(MAY_VERIFY, ""), headers.get(REGION, "")
    expected = _signature(secret, headers.get("ce_id", ""), body, verifies, region)
    if not hmac.compare_digest(expected.encode(), headers[SIGNATURE].encode()):
        return NOT_VETTED
    return Vetting(True, frozenset(verifies.split()), region or None)


def _signature(secret: bytes, touchpoint_id: str, body: bytes, may_verify: str, region: str) -> str:
    signed = orjson.dumps([_PURPOSE, touchpoint_id, hashlib.sha256(body).hexdigest(), may_verify, region])
    return hmac.digest(secret, signed, "sha256").hex()
