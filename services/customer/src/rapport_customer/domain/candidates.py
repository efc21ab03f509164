"""Merge candidates: two profiles that may be one party, and the decision about them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from rapport_shared.contracts.customer import CandidateReason, CandidateState
from rapport_shared.contracts.ids import derived_id

Cause = Literal["matching", "identifier", "touch"]
Decision = Literal["merge", "never", "later"]

_DECIDED = frozenset({"never", "later"})


@dataclass(frozen=True, slots=True)
class Suspicion:
    """Why two profiles may be one party."""

    one: UUID
    other: UUID
    cause: Cause
    probability: float | None = None
    reasons: tuple[CandidateReason, ...] = ()

    @property
    def candidate_id(self) -> UUID:
        """The id of a candidate. It depends only on the two profiles."""
        return derived_id("candidate", *sorted((self.one, self.other)))


def raised(known: CandidateState | None, suspicion: Suspicion) -> CandidateState:
    """The candidate after a suspicion. A person's decision stays. Without a new score, the former score stays."""
    one, other = sorted((suspicion.one, suspicion.other))
    fresh = CandidateState(
        candidate_id=suspicion.candidate_id,
        one=one,
        other=other,
        state="open",
        cause=suspicion.cause,
        probability=suspicion.probability,
        reasons=suspicion.reasons,
    )
    if known is None:
        return fresh
    if known.state in _DECIDED or (known.state == "open" and suspicion.probability is None):
        return known
    return fresh


def withdrawn(known: CandidateState) -> CandidateState:
    """The candidate without a suspicion. A person's decision stays."""
    return known.model_copy(update={"state": "withdrawn"}) if known.state == "open" else known


def decided(known: CandidateState, decision: Decision, by: str, due_at: datetime | None) -> CandidateState:
    """The candidate after a decision. A postponed candidate is shown again at `due_at`."""
    states: dict[Decision, str] = {"merge": "merged", "never": "never", "later": "later"}
    due = due_at if decision == "later" else None
    return known.model_copy(update={"state": states[decision], "decided_by": by, "due_at": due})


def changed_parts(before: CandidateState | None, after: CandidateState) -> Sequence[str]:
    """The names of the fields that differ."""
    if before is None:
        return ("created",)
    return tuple(name for name in CandidateState.model_fields if getattr(before, name) != getattr(after, name))
