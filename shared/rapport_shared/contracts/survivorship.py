"""Survivorship: which of a field's candidates wins. Manual before verified before source priority before latest.

Candidates are JSON, as events and views carry them; the rule is the same wherever a customer is rendered.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

Candidate = Mapping[str, Any]
"""A `FieldCandidate` as JSON."""

Rule = Literal["only", "agreed", "manual", "verified", "priority", "latest"]
"""What decided: there is one candidate, all say the same, or the first criterion in which two differ."""

Rank = tuple[bool, bool, int, datetime, str]


@dataclass(frozen=True, slots=True)
class Choice:
    """The winning candidate, the rule that decided, and the others, the strongest first."""

    winner: Candidate
    rule: Rule
    losers: tuple[Candidate, ...]


def rank(candidate: Candidate) -> Rank:
    """What candidates are ordered by; no two facts rank alike, for the last criterion is the event's id."""
    return ranked(
        candidate.get("manual", False),
        candidate.get("verified", False),
        candidate.get("priority", 0),
        datetime.fromisoformat(candidate["occurred_at"]),
        candidate["event_id"],
    )


def ranked(manual: bool, verified: bool, priority: int, occurred_at: datetime, event_id: object) -> Rank:
    """The order of survivorship, from what it looks at."""
    return manual, verified, priority, occurred_at, str(event_id)


def choose(candidates: Iterable[Candidate]) -> Choice | None:
    """The choice among `candidates`, whatever their order; None where there is none."""
    ordered = sorted(candidates, key=rank, reverse=True)
    if not ordered:
        return None
    winner, *losers = ordered
    return Choice(winner, _rule(winner, losers), tuple(losers))


def _rule(winner: Candidate, losers: list[Candidate]) -> Rule:
    if not losers:
        return "only"
    if all(loser["value"] == winner["value"] for loser in losers):
        return "agreed"
    best, against = rank(winner), rank(next(loser for loser in losers if loser["value"] != winner["value"]))
    names: tuple[Rule, ...] = ("manual", "verified", "priority")
    return next((name for name, ours, theirs in zip(names, best, against, strict=False) if ours != theirs), "latest")


Seniority = tuple[bool, datetime, str]


def seniority(registered: bool, created_at: datetime, profile_id: object) -> Seniority:
    """The order of a customer's profiles, the first first: registered ones, then those that were made earlier.

    The unit and the owner of a customer are those of the first profile in this order that has one.
    """
    return not registered, created_at, str(profile_id)


def of_first(stated: Iterable[tuple[Seniority, str | None]]) -> str | None:
    """What the first profile that states something states, for its unit or owner; None where none does."""
    having = [(place, value) for place, value in stated if value]
    return min(having)[1] if having else None
