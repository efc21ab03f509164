"""Errors that callers meet: RFC 9457 problems, each with a page that explains it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class ProblemType:
    """A kind of problem. `code` names its page, `/problems/<code>`."""

    code: str
    status: int
    title: str
    explanation: str

    @property
    def uri(self) -> str:
        """`type` of the problem document: a reference that resolves at the gateway."""
        return f"/problems/{self.code}"


VALIDATION = ProblemType(
    "validation",
    422,
    "The request is not valid",
    "Each entry of `errors` names a place by JSON pointer and what is wrong there.",
)
MALFORMED = ProblemType(
    "malformed",
    400,
    "The request cannot be read",
    "The body must be one JSON document in UTF-8, nested no deeper than 64.",
)
TOO_LARGE = ProblemType(
    "too-large",
    413,
    "The request is too large",
    "A touchpoint may have 256 KiB, a batch 500 touchpoints and 5 MiB, a file to import 64 MiB, "
    "any other request 1 MiB.",
)
UNAUTHENTICATED = ProblemType(
    "unauthenticated",
    401,
    "The caller is unknown",
    "Send `Authorization: Bearer <key>` with a key that is in force.",
)
FORBIDDEN = ProblemType(
    "forbidden", 403, "The caller may not do this", "The key lacks the scope that the problem names."
)
NOT_FOUND = ProblemType("not-found", 404, "The resource does not exist", "The id or path is unknown.")
METHOD_NOT_ALLOWED = ProblemType("method-not-allowed", 405, "The path has no such method", "See the API page.")
CONFLICT = ProblemType(
    "conflict", 409, "The request contradicts the present state", "Read the resource again, then decide."
)
IN_FLIGHT = ProblemType(
    "in-flight",
    409,
    "The same request is being carried out",
    "A request with this Idempotency-Key has not ended. Repeat it in a moment.",
)
KEY_REUSED = ProblemType(
    "idempotency-key-reused",
    422,
    "The Idempotency-Key belongs to another request",
    "Use a fresh key for a new request, the old body for a repeat.",
)
KEY_REQUIRED = ProblemType(
    "id-required",
    422,
    "A touchpoint needs an id",
    "Give every touchpoint an `id`, or the request an `Idempotency-Key` from which ids are made: a repeat is harmless.",
)
IDENTIFIER_TAKEN = ProblemType(
    "identifier-taken",
    409,
    "The identifier belongs to another customer",
    "Touchpoints with this identifier go to another registered customer.",
)
PRECONDITION_FAILED = ProblemType(
    "precondition-failed",
    412,
    "The record changed meanwhile",
    "`If-Match` names an older revision. Read the record and edit that.",
)
NOT_IN_TIME = ProblemType(
    "not-in-time",
    409,
    "The view has not reached the event yet",
    "`lag_ms` says how far behind it is. Ask again, or wait longer with `wait_ms`.",
)
QUARANTINED = ProblemType(
    "quarantined",
    422,
    "The touchpoint was quarantined",
    "The touchpoint appears in no view until somebody mends it. `reason` names the fault.",
)
SHEET_UNREADABLE = ProblemType(
    "sheet-unreadable",
    422,
    "The file cannot be read as a sheet",
    "It must be a CSV file or an XLSX workbook without a password, with a row that names its columns. "
    "`code` says what is wrong; nothing of the file was imported.",
)
UNAVAILABLE = ProblemType(
    "unavailable",
    503,
    "A service or database that the request needs is not available",
    "Whether the request was carried out is unknown. Repeat it with the same ids or Idempotency-Key.",
)
INTERNAL = ProblemType(
    "internal", 500, "An internal error occurred", "The fault is in Rapport. Find it in the log by `trace`."
)

PROBLEM_TYPES: Mapping[str, ProblemType] = {
    problem.code: problem
    for problem in (
        VALIDATION,
        MALFORMED,
        TOO_LARGE,
        UNAUTHENTICATED,
        FORBIDDEN,
        NOT_FOUND,
        METHOD_NOT_ALLOWED,
        CONFLICT,
        IN_FLIGHT,
        KEY_REUSED,
        KEY_REQUIRED,
        IDENTIFIER_TAKEN,
        PRECONDITION_FAILED,
        NOT_IN_TIME,
        QUARANTINED,
        SHEET_UNREADABLE,
        UNAVAILABLE,
        INTERNAL,
    )
}


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """One invalid field: a JSON Pointer, a code and a sentence. Never contains the value."""

    pointer: str
    code: str
    message: str

    def document(self) -> dict[str, str]:
        """The element of a problem's `errors`."""
        return {"pointer": self.pointer, "code": self.code, "message": self.message}


class Problem(Exception):
    """A refusal, rendered as `application/problem+json`. It contains no personal values."""

    def __init__(
        self,
        problem_type: ProblemType,
        detail: str,
        *,
        errors: Sequence[FieldProblem] = (),
        headers: Mapping[str, str] | None = None,
        **members: Any,
    ) -> None:
        super().__init__(detail)
        self.problem_type = problem_type
        self.detail = detail
        self.errors = tuple(errors)
        self.headers = dict(headers or {})
        self.members = members

    def document(self) -> dict[str, Any]:
        """The `application/problem+json` document."""
        document: dict[str, Any] = {
            "type": self.problem_type.uri,
            "title": self.problem_type.title,
            "status": self.problem_type.status,
            "detail": self.detail,
            **self.members,
        }
        if self.errors:
            document["errors"] = [error.document() for error in self.errors]
        return document


Precondition = Callable[[int], None]
"""Raises a 412 unless the caller has read this revision of the record that its command changes."""


def unavailable(part: str, retry_after_seconds: int = 1) -> Problem:
    """503 with `Retry-After`, because `part` is not available."""
    return Problem(UNAVAILABLE, f"{part} is away.", headers={"Retry-After": str(retry_after_seconds)})


def not_found(what: str) -> Problem:
    """404 for `what`, a noun without article."""
    return Problem(NOT_FOUND, f"There is no such {what}.")
