"""Commands, passed to the owners as they came: body, preconditions and keys intact, the caller's identity signed."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Literal
from urllib.parse import quote

import httpx
from fastapi import APIRouter, Request, Response

from rapport_shared.callers import Caller, CallerTokens
from rapport_shared.clock import Clock
from rapport_shared.errors import TOO_LARGE, Problem, not_found, unavailable
from rapport_shared.web.limits import MAX_BODY_BYTES
from rapport_shared.web.routing import scoped

Owner = Literal["customer", "interaction", "ticket", "scoring"]

_PASSED_ON = frozenset({b"content-type", b"if-match", b"if-none-match", b"idempotency-key", b"traceparent"})
_PASSED_BACK = (
    *("content-type", "etag", "location", "cache-control", "retry-after"),
    *("rapport-event-id", "idempotency-replayed"),
)
_PRINTABLE = "".join(map(chr, range(0x21, 0x7F)))
KEPT_ALIVE_SECONDS = 3.0
"""Less than the five seconds after which an owner closes an idle connection, so that no command meets a closed one."""


@dataclass(frozen=True, slots=True)
class Passed:
    """A route that an owner serves."""

    method: str
    path: str
    owner: Owner
    scope: str
    summary: str


ROUTES = (
    Passed("POST", "/v1/customers", "customer", "customers:write", "Register a customer by hand."),
    Passed("GET", "/v1/customers/{customer_id}/record", "customer", "customers:read", "A profile's record."),
    Passed("PATCH", "/v1/customers/{customer_id}/record", "customer", "customers:write", "State fields by hand."),
    Passed("POST", "/v1/customers/{customer_id}/identifiers", "customer", "customers:write", "Add an identifier."),
    Passed(
        "DELETE",
        "/v1/customers/{customer_id}/identifiers/{key}",
        "customer",
        "customers:write",
        "Remove an identifier.",
    ),
    Passed("POST", "/v1/customers/{customer_id}/assets", "customer", "customers:write", "Record an asset."),
    Passed("PUT", "/v1/customers/{customer_id}/consents/{purpose}", "customer", "customers:write", "Record a consent."),
    Passed(
        "PUT", "/v1/customers/{customer_id}/owner", "customer", "customers:write", "Say who looks after a customer."
    ),
    Passed(
        "PUT",
        "/v1/customers/{customer_id}/relations/{type}/{to}",
        "customer",
        "customers:write",
        "State a relation by hand.",
    ),
    Passed(
        "DELETE",
        "/v1/customers/{customer_id}/relations/{type}/{to}",
        "customer",
        "customers:write",
        "End a relation by hand.",
    ),
    Passed("GET", "/v1/hand-overs/{hand_over_id}", "customer", "customers:write", "How far a hand-over is."),
    Passed("POST", "/v1/merges", "customer", "customers:merge", "Merge customers, or say what a merge would do."),
    Passed("POST", "/v1/merges/{merge_id}/undo", "customer", "customers:merge", "Undo a merge."),
    Passed("GET", "/v1/customers/{customer_id}/merges", "customer", "customers:read", "The merges of a customer."),
    Passed("GET", "/v1/merge-candidates", "customer", "customers:merge", "Customers that may be one, likeliest first."),
    Passed(
        "POST",
        "/v1/merge-candidates/{candidate_id}/decision",
        "customer",
        "customers:merge",
        "Decide on a merge candidate.",
    ),
    Passed("POST", "/v1/matches", "customer", "customers:read", "Whom records would meet, and why."),
    Passed("GET", "/v1/policies/matching/{name}", "customer", "policies:read", "The matching policy in force."),
    Passed("PUT", "/v1/policies/matching/{name}", "customer", "policies:write", "Add a version of a matching policy."),
    Passed("GET", "/v1/policies/matching/{name}/versions", "customer", "policies:read", "Versions of a policy."),
    Passed("POST", "/v1/policies/matching/{name}/validate", "customer", "policies:read", "Check a matching policy."),
    Passed("POST", "/v1/policies/matching/{name}/simulate", "customer", "policies:write", "Try a version on the base."),
    Passed("POST", "/v1/policies/matching/{name}/activate", "customer", "policies:write", "Put a version in force."),
    Passed("POST", "/v1/policies/matching/{name}/rollback", "customer", "policies:write", "Put the former in force."),
    Passed("GET", "/v1/policies/fields/{name}", "customer", "policies:read", "The own fields in force."),
    Passed("PUT", "/v1/policies/fields/{name}", "customer", "policies:write", "Add a version of the own fields."),
    Passed("GET", "/v1/policies/fields/{name}/versions", "customer", "policies:read", "Versions of the own fields."),
    Passed("POST", "/v1/policies/fields/{name}/validate", "customer", "policies:read", "Check a declaration."),
    Passed("POST", "/v1/policies/fields/{name}/simulate", "customer", "policies:write", "What it would refuse."),
    Passed("POST", "/v1/policies/fields/{name}/activate", "customer", "policies:write", "Put a version in force."),
    Passed("POST", "/v1/policies/fields/{name}/rollback", "customer", "policies:write", "Put the former in force."),
    Passed("GET", "/v1/quality", "customer", "quality:read", "The quality of each source, now."),
    Passed("GET", "/v1/quality/trend", "customer", "quality:read", "The quality of a source, day by day."),
    Passed("GET", "/v1/units", "customer", "units:read", "Organisation units."),
    Passed("GET", "/v1/units/{path:path}", "customer", "units:read", "An organisation unit."),
    Passed("PUT", "/v1/units/{path:path}", "customer", "units:write", "Create or replace an organisation unit."),
    Passed(
        "POST",
        "/v1/touchpoints/{touchpoint_id}/retractions",
        "interaction",
        "interactions:write",
        "Retract a touchpoint reported in error.",
    ),
    Passed("GET", "/v1/interactions", "interaction", "interactions:read", "Anonymous interactions."),
    Passed(
        "POST",
        "/v1/interactions/{interaction_id}/attribute",
        "interaction",
        "interactions:write",
        "Attribute an interaction by hand.",
    ),
    Passed("GET", "/v1/quarantine", "interaction", "quarantine:read", "Touchpoints in quarantine."),
    Passed("POST", "/v1/quarantine/replay", "interaction", "quarantine:write", "Record what a rule finds there."),
    Passed("GET", "/v1/quarantine/{quarantine_id}", "interaction", "quarantine:read", "A quarantined touchpoint."),
    Passed("POST", "/v1/quarantine/{quarantine_id}/fix", "interaction", "quarantine:write", "Record it, patched."),
    Passed("POST", "/v1/quarantine/{quarantine_id}/replay", "interaction", "quarantine:write", "Record it as it is."),
    Passed("POST", "/v1/quarantine/{quarantine_id}/dismiss", "interaction", "quarantine:write", "Dismiss it."),
    Passed(
        "GET", "/v1/customers/{customer_id}/value", "scoring", "values:read", "The ledger lines of a customer's value."
    ),
    Passed("POST", "/v1/tickets", "ticket", "tickets:write", "Open a ticket."),
    Passed("GET", "/v1/tickets", "ticket", "tickets:read", "Tickets, the latest opened first."),
    Passed("GET", "/v1/tickets/{ticket}", "ticket", "tickets:read", "A ticket."),
    Passed("PATCH", "/v1/tickets/{ticket}", "ticket", "tickets:write", "Edit a ticket."),
    Passed("POST", "/v1/tickets/{ticket}/comments", "ticket", "tickets:write", "Comment on a ticket."),
    Passed("POST", "/v1/tickets/{ticket}/transitions", "ticket", "tickets:write", "Move a ticket in its process."),
    Passed("POST", "/v1/tickets/{ticket}/resolve", "ticket", "tickets:write", "Resolve a ticket."),
)


class Owners:
    """HTTP to the services that own the facts."""

    def __init__(
        self,
        urls: dict[Owner, str],
        tokens: CallerTokens,
        clock: Clock,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._urls = urls
        self._tokens = tokens
        self._clock = clock
        self._client = httpx.AsyncClient(
            timeout=httpx.Timeout(35.0, connect=2.0),
            limits=httpx.Limits(max_connections=100, keepalive_expiry=KEPT_ALIVE_SECONDS),
            follow_redirects=False,
            trust_env=False,
            transport=transport,
        )

    async def close(self) -> None:
        """Closes the connections."""
        await self._client.aclose()

    async def pass_on(self, owner: Owner, request: Request, caller: Caller) -> Response:
        """The owner's answer. Raises a 503 when the owner is away: whether a command was carried out is unknown.

        Raises a 404 for a path that no owner has, and a 413 for a body over the limit of a command.
        """
        base = httpx.URL(self._urls[owner])
        url = base.copy_with(raw_path=base.raw_path.rstrip(b"/") + _target(request))
        body = await request.body()
        if len(body) > MAX_BODY_BYTES:
            raise Problem(TOO_LARGE, "The body is larger than this path takes.")
        token = self._tokens.sign(caller, self._clock()).encode()
        headers = [(name, value) for name, value in request.headers.raw if name in _PASSED_ON]
        headers += [(b"authorization", b"Bearer " + token), (b"accept-encoding", b"identity")]
        try:
            answer = await self._client.request(request.method, url, headers=headers, content=body)
        except httpx.TransportError:
            raise unavailable(f"The {owner} service") from None
        back = {name: answer.headers[name] for name in _PASSED_BACK if name in answer.headers}
        return Response(answer.content, answer.status_code, back)


def _target(request: Request) -> bytes:
    """Path and query as they came: decoded, a `%3F` in a name would cut the path, and name another thing."""
    decoded = request.url.path
    if not {".", ".."}.isdisjoint(decoded.split("/")) or any(sign < " " for sign in decoded):
        raise not_found("path")
    path: bytes = request.scope["raw_path"]
    query: bytes = request.scope["query_string"]
    return quote(path + b"?" + query if query else path, safe=_PRINTABLE).encode()


def router(owners: Owners) -> APIRouter:
    """All routes that are passed on."""
    routes = APIRouter()
    for passed in ROUTES:
        routes.add_api_route(
            passed.path,
            _endpoint(owners, passed),
            methods=[passed.method],
            summary=passed.summary.rstrip("."),
            tags=[f"{passed.owner} commands" if passed.method != "GET" else f"{passed.owner} reads"],
            operation_id=re.sub(r"\W+", "_", f"{passed.method.lower()}{passed.path.replace(':path', '')}").rstrip("_"),
        )
    return routes


def _endpoint(owners: Owners, passed: Passed) -> Callable[..., Awaitable[Response]]:
    async def endpoint(request: Request, caller: Annotated[Caller, scoped(passed.scope)]) -> Response:
        return await owners.pass_on(passed.owner, request, caller)

    return endpoint
