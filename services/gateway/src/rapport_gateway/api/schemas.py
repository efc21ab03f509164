"""What the gateway's own routes answer, for its OpenAPI document; the answers are written without these models."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from rapport_shared.contracts.envelope import ShownInstant
from rapport_shared.contracts.interaction import QuarantineReason
from rapport_shared.web.answers import Problem, RejectedTouchpoint, WrongPlace


class AcceptedTouchpoint(BaseModel):
    """An accepted touchpoint. `GET /v1/touchpoints/{touchpoint_id}` returns its outcome."""

    id: UUID


class ListedWarning(WrongPlace):
    """A warning about an accepted touchpoint, with its place in the request."""

    index: int


class Reported(BaseModel):
    """The accepted touchpoints of a report, in the order of the request, and the refused ones."""

    accepted: list[AcceptedTouchpoint]
    rejected: list[RejectedTouchpoint]
    warnings: list[ListedWarning]


class Verdict(BaseModel):
    """What a report of one touchpoint would do. Of an invalid one `problem` says why; it has no other members.

    `customer_id` is the customer that the touchpoint would reach, null where none is known; `would_mint` says whether
    one would be made then.
    """

    index: int
    valid: bool
    problem: Problem | None = None
    customer_id: UUID | None = None
    would_mint: bool | None = None
    warnings: list[WrongPlace] | None = None


class Verdicts(BaseModel):
    """The dry run of each touchpoint of the request."""

    results: list[Verdict]


class Accepted(BaseModel):
    """The touchpoint is on its way."""

    state: Literal["accepted"]


class Conflict(BaseModel):
    """Another touchpoint came under the same id; the first stays."""

    at: ShownInstant


class Recorded(BaseModel):
    """The touchpoint is an entry of an interaction with a customer."""

    state: Literal["recorded"]
    interaction_id: UUID
    customer_id: UUID
    conflicts: list[Conflict]


class Anonymous(BaseModel):
    """The touchpoint is recorded; its identifiers lead to nobody."""

    state: Literal["anonymous"]
    interaction_id: UUID


class RetractedTouchpoint(BaseModel):
    """The touchpoint was retracted."""

    state: Literal["retracted"]


class InQuarantine(BaseModel):
    """The touchpoint waits for somebody to mend it."""

    state: Literal["quarantined"]
    reason: str
    errors: list[QuarantineReason]


class DismissedTouchpoint(BaseModel):
    """Somebody dismissed the touchpoint from quarantine."""

    state: Literal["dismissed"]
    reason: str


TouchpointStatus = Annotated[
    Accepted | Recorded | Anonymous | RetractedTouchpoint | InQuarantine | DismissedTouchpoint,
    Field(discriminator="state"),
]
"""The outcome of a touchpoint."""


class LookupMatch(BaseModel):
    """A customer, and what it was found by."""

    customer_id: UUID
    reason: str
    display_name: str | None


class LookupAnswer(BaseModel):
    """The customers that were found, the best match first; `warnings` name what nobody can be found by."""

    matches: list[LookupMatch]
    warnings: list[WrongPlace]


class ReportLimits(BaseModel):
    """The most that a report may have."""

    touchpoint_bytes: int
    batch: int
    batch_bytes: int


class Me(BaseModel):
    """The caller's key and what it may do."""

    key_id: UUID
    name: str | None
    channel: str
    scopes: list[str]
    unit: str
    may_verify: list[str]
    limits: ReportLimits


class ListedKey(BaseModel):
    """A key without its secret; `ending` is the end of the secret."""

    key_id: UUID
    ending: str
    name: str
    channel: str
    scopes: list[str]
    unit: str
    may_verify: list[str]
    demo: bool
    created_at: ShownInstant
    revoked_at: ShownInstant | None


class KeyList(BaseModel):
    """KeyList, the newest first."""

    keys: list[ListedKey]


class MadeKey(BaseModel):
    """A key. `key` is shown once: the answer to a repeated request lacks it."""

    key_id: UUID
    key: str | None = None


class RevokedKey(BaseModel):
    """A key that no longer works."""

    key_id: UUID
    revoked: Literal[True]


class RevokedToken(BaseModel):
    """A token that no longer works."""

    token_id: UUID
    revoked: Literal[True]


class ExplainedProblem(BaseModel):
    """The meaning of a type of problem, and its remedy."""

    code: str
    status: int
    title: str
    explanation: str


class BegunRebuild(BaseModel):
    """A run of the view that is being built."""

    run: int
    state: str


class RebuildProgress(BegunRebuild):
    """The progress of a run: `behind` counts the records between its cursors and those of the live run."""

    changes: int
    behind: int
    caught_up_at: ShownInstant | None


class DifferingCustomer(BaseModel):
    """A customer whose sections differ between two runs."""

    customer_id: UUID
    sections: list[str]


class RebuildDifferences(BaseModel):
    """How many customers differ between a run and the live one, and some of them."""

    run: int
    live: int
    different: int
    examples: list[DifferingCustomer]


class PromotedRebuild(BegunRebuild):
    """The run that is live now, and the one that was before."""

    retired: int
