"""Who is calling: the gateway says it to the owners in a short-lived signed token; no network place is trusted."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from cachetools import LRUCache
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from rapport_shared.errors import FORBIDDEN, UNAUTHENTICATED, Problem

TOKEN_SECONDS = 60
_ISSUER = "rapport-gateway"
_REMEMBERED = 1024

SCOPES: dict[str, str] = {
    "touchpoints:write": "report touchpoints",
    "touchpoints:read": "read what became of a touchpoint",
    "customers:read": "read the unified view, timelines and streams; look customers up",
    "customers:write": "edit customers by hand: records, identifiers, assets, consents, owners",
    "customers:merge": "merge customers, undo merges, decide on candidates",
    "policies:read": "read policies and their versions",
    "policies:write": "make, try, activate and roll back versions of policies",
    "tickets:read": "read tickets",
    "tickets:write": "open and work on tickets",
    "units:read": "read organisation units",
    "units:write": "create and change organisation units",
    "interactions:read": "list anonymous interactions",
    "interactions:bodies": "see what anonymous touchpoints say, which may be personal",
    "interactions:write": "retract what was recorded in error; attribute by hand",
    "quarantine:read": "read which touchpoints are in quarantine, and why",
    "quarantine:bodies": "see the bodies of quarantined touchpoints, which may be personal",
    "quarantine:write": "mend, replay and dismiss quarantined touchpoints",
    "imports:write": "import sheets, and keep mappings of their columns",
    "imports:read": "read imports, their rows and results",
    "quality:read": "read how good the records of each source are",
    "values:read": "read values of customers, rankings, reports and parameters",
    "values:compute": "ask for rankings, backtests and fits of the forecast",
    "segments:read": "read segments and their members",
    "operations:read": "read freshness, lag and dead letters",
    "rebuilds:write": "rebuild the view",
    "keys:write": "make and revoke API keys",
}
"""Every scope there is, and what it allows."""


@dataclass(frozen=True, slots=True)
class Caller:
    """A principal with what it may do. `channel` is `*` for a key of any channel, `unit` empty for the whole firm.

    A token has `expires_at`, and may have `customer_id`, the one customer that it may know of. The gateway checks both;
    owners learn of neither.
    """

    principal: str
    channel: str = "*"
    scopes: frozenset[str] = field(default_factory=frozenset)
    unit: str = ""
    may_verify: frozenset[str] = field(default_factory=frozenset)
    customer_id: UUID | None = None
    expires_at: datetime | None = None

    def may(self, scope: str) -> bool:
        """Whether the caller holds `scope`, by name, by `area:*` or by `*`."""
        area = scope.partition(":")[0]
        return bool(self.scopes & {scope, f"{area}:*", "*"})

    def require(self, scope: str) -> None:
        """Raises the 403 that names `scope` unless the caller holds it."""
        if not self.may(scope):
            raise Problem(FORBIDDEN, f"The key lacks the scope {scope}.", scope=scope)


def unknown_scopes(scopes: Iterable[str]) -> list[str]:
    """Those of `scopes` that mean nothing."""
    areas = {f"{scope.partition(':')[0]}:*" for scope in SCOPES}
    return sorted(scope for scope in scopes if scope not in SCOPES and scope not in areas and scope != "*")


class CallerTokens:
    """Signs callers into tokens and reads them back. Tokens live a minute, and are remembered for speed."""

    def __init__(self, secret: str) -> None:
        self._key = OctKey.import_key(secret)
        self._signed: LRUCache[Caller, tuple[int, str]] = LRUCache(_REMEMBERED)
        self._read: LRUCache[str, tuple[int, Caller]] = LRUCache(_REMEMBERED)

    def sign(self, caller: Caller, now: datetime) -> str:
        """A token of `caller`, good for at least half a minute from `now`."""
        seconds = int(now.timestamp())
        known = self._signed.get(caller)
        if known and known[0] > seconds + TOKEN_SECONDS // 2:
            return known[1]
        claims: dict[str, Any] = {
            "iss": _ISSUER,
            "sub": caller.principal,
            "channel": caller.channel,
            "scope": " ".join(sorted(caller.scopes)),
            "unit": caller.unit,
            "may_verify": " ".join(sorted(caller.may_verify)),
            "iat": seconds,
            "exp": seconds + TOKEN_SECONDS,
        }
        token = jwt.encode({"alg": "HS256"}, claims, self._key)
        self._signed[caller] = (seconds + TOKEN_SECONDS, token)
        return token

    def read(self, token: str, now: datetime) -> Caller:
        """The caller of `token`. Raises a 401 for one that is forged, malformed or past its time."""
        seconds = int(now.timestamp())
        known = self._read.get(token)
        if known is None:
            known = self._verify(token)
            self._read[token] = known
        expires, caller = known
        if seconds >= expires:
            raise Problem(UNAUTHENTICATED, "The caller's token is past its time.")
        return caller

    def _verify(self, token: str) -> tuple[int, Caller]:
        try:
            claims = jwt.decode(token, self._key, algorithms=["HS256"]).claims
            if claims["iss"] != _ISSUER:
                raise ValueError("issuer")
            caller = Caller(
                principal=str(claims["sub"]),
                channel=str(claims["channel"]),
                scopes=frozenset(str(claims["scope"]).split()),
                unit=str(claims["unit"]),
                may_verify=frozenset(str(claims["may_verify"]).split()),
            )
            return int(claims["exp"]), caller
        except (JoseError, KeyError, ValueError, TypeError) as error:
            raise Problem(UNAUTHENTICATED, "The caller's token is not one of the gateway's.") from error
