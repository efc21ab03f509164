"""HTTP to the services that own the facts: requests go on as they came, with the caller's identity signed."""

from collections.abc import Mapping
from urllib.parse import quote

import httpx
from fastapi import Request, Response

from rapport_gateway.owners.routes import Owner
from rapport_shared.callers import Caller, CallerTokens
from rapport_shared.clock import Clock
from rapport_shared.errors import TOO_LARGE, Problem, not_found, unavailable
from rapport_shared.web.limits import MAX_BODY_BYTES

_PASSED_ON = frozenset({b"content-type", b"if-match", b"if-none-match", b"idempotency-key", b"traceparent"})
_PASSED_BACK = (
    *("content-type", "etag", "location", "cache-control", "retry-after"),
    *("rapport-event-id", "idempotency-replayed"),
)
_PRINTABLE = "".join(map(chr, range(0x21, 0x7F)))
KEPT_ALIVE_SECONDS = 60.0
"""Less than the 75 s after which an owner closes an idle connection, so that no command meets a closed one."""


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
        body = await request.body()
        if len(body) > MAX_BODY_BYTES:
            raise Problem(TOO_LARGE, "The body is larger than this path takes.")
        headers = [(name, value) for name, value in request.headers.raw if name in _PASSED_ON]
        return await self._ask(owner, request.method, _target(request), caller, headers, body)

    async def read(self, owner: Owner, path: str, query: Mapping[str, str], caller: Caller) -> Response:
        """The owner's answer to a read of the gateway's own, for a caller. Raises a 503 when the owner is away."""
        target = str(httpx.URL(path, params=query)).encode()
        return await self._ask(owner, "GET", target, caller, [], b"")

    async def _ask(
        self,
        owner: Owner,
        method: str,
        target: bytes,
        caller: Caller,
        headers: list[tuple[bytes, bytes]],
        body: bytes,
    ) -> Response:
        base = httpx.URL(self._urls[owner])
        url = base.copy_with(raw_path=base.raw_path.rstrip(b"/") + target)
        token = self._tokens.sign(caller, self._clock()).encode()
        own = [(b"authorization", b"Bearer " + token), (b"accept-encoding", b"identity")]
        try:
            answer = await self._client.request(method, url, headers=[*headers, *own], content=body)
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
