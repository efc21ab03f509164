"""How far the record can be trusted: what is missing, doubtful, contradictory, perhaps doubled; a score with reasons.

Nothing here depends on the moment of reading: how old the record is, is stated as the instant of its last report.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from rapport_gateway.view.facts import Fact, State, is_later, optional_shown
from rapport_shared.contracts.good_record import expected_fields
from rapport_shared.contracts.survivorship import Candidate, choose
from rapport_shared.normalisation import normalise_birth_date, reads_identifier

NAME = "quality"
SHOWN = 1_000
"""So many open candidates of a profile are looked at, the likeliest first."""
_UNKNOWN_PROBABILITY = 0.5
"""The causes without a comparison: a shared identifier or an ambiguous touchpoint."""


def targets(fact: Fact) -> Iterable[tuple[UUID, str]]:
    """A merge candidate is kept with both its sides."""
    if fact.type == "customer.candidate_changed":
        candidate = fact.data["candidate"]
        yield UUID(candidate["one"]), fact.subject
        yield UUID(candidate["other"]), fact.subject


def fold(state: State | None, fact: Fact, item: str) -> State | None:
    """Keeps the state with the highest sequence."""
    return {"sequence": fact.sequence, "candidate": fact.data["candidate"]} if is_later(fact, state) else state


def rank(profile_id: UUID, state: State) -> int | None:
    """Open candidates are listed, the likeliest first."""
    candidate = state["candidate"]
    return -round(_probability(candidate) * 1_000_000) if candidate["state"] == "open" else None


def tally(state: State) -> Mapping[str, int]:
    """Nothing is counted."""
    return {}


def assess(
    records: Sequence[dict[str, Any]],
    profiles: Sequence[UUID],
    identity: Any,
    commerce: Any,
    candidates: Iterable[State],
) -> dict[str, Any]:
    """The section of a customer: `records` are the registers of its `profiles`, the rest is rendered already."""
    fields = _fields(records)
    checks, missing = len(_checked(identity)), _missing(identity)
    doubtful = _doubtful(records)
    conflicting = sorted(name for name, stated in fields.items() if _contradict(stated))
    doubled = _doubled(profiles, candidates)
    parts = {
        "completeness": {"score": _share(checks - len(missing), checks), "missing": missing},
        "validity": {"score": _share(_values(records) - len(doubtful), _values(records)), "doubtful": doubtful},
        "conflict": {"score": _share(len(fields) - len(conflicting), len(fields)), "fields": conflicting},
        "duplication": doubled,
        "freshness": {"last_reported_at": _last_reported(records)},
    }
    scores = [part["score"] for part in parts.values() if "score" in part]
    return {
        "score": sum(scores) // len(scores),
        "gaps": _gaps(identity, commerce),
        **parts,
        "contributors": _contributors(fields),
    }


def _fields(records: Sequence[dict[str, Any]]) -> dict[str, list[Candidate]]:
    found: dict[str, list[Candidate]] = {}
    for record in records:
        for name, stated in record.get("fields", {}).items():
            found.setdefault(name, []).extend(stated)
    return found


def _checked(identity: Any) -> tuple[str, ...]:
    return (*expected_fields(identity["kind"]), "identifier", "unit", "owner")


def _missing(identity: Any) -> list[str]:
    known = {
        **identity["fields"],
        "name": identity["display_name"],
        "identifier": identity["identifiers"],
        "unit": identity["unit"],
        "owner": identity["owner"],
    }
    return [name for name in _checked(identity) if not known.get(name)]


def _doubtful(records: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Values that no rule can read: an identifier by its key, a birth date by its source. Never the value."""
    found = [
        {"field": "birth_date", "source": stated["source"], "code": "no_date"}
        for record in records
        for stated in record.get("fields", {}).get("birth_date", ())
        if isinstance(stated["value"], str) and not normalise_birth_date(stated["value"]).usable
    ]
    for record in records:
        for held in record.get("identifiers", ()):
            if not reads_identifier(held["type"], held["normal"]):
                found.append({"field": held["type"], "key": held["key"], "code": "unreadable"})
    return sorted(found, key=str)


def _values(records: Sequence[dict[str, Any]]) -> int:
    return sum(
        len(record.get("fields", {}).get("birth_date", ())) + len(record.get("identifiers", ())) for record in records
    )


def _contradict(stated: Sequence[Candidate]) -> bool:
    """Whether sources differ, and nobody has decided by hand."""
    by_hand = any(candidate.get("manual") for candidate in stated)
    return not by_hand and any(candidate["value"] != stated[0]["value"] for candidate in stated)


def _doubled(profiles: Sequence[UUID], candidates: Iterable[State]) -> dict[str, Any]:
    """Open candidates with profiles that are not the customer's own."""
    own = {str(profile_id) for profile_id in profiles}
    open_ = {
        state["candidate"]["candidate_id"]: state["candidate"]
        for state in candidates
        if state["candidate"]["state"] == "open" and not {state["candidate"]["one"], state["candidate"]["other"]} <= own
    }
    probabilities = [_probability(candidate) for candidate in open_.values()]
    return {"score": round(100 * (1 - max(probabilities, default=0.0))), "candidates": len(open_)}


def _probability(candidate: dict[str, Any]) -> float:
    stated = candidate.get("probability")
    return _UNKNOWN_PROBABILITY if stated is None else float(stated)


def _last_reported(records: Sequence[dict[str, Any]]) -> str | None:
    reported = [source["occurred_at"] for record in records for source in record.get("sources", ())]
    return optional_shown(max(reported, key=datetime.fromisoformat, default=None))


def _contributors(fields: Mapping[str, Sequence[Candidate]]) -> list[dict[str, Any]]:
    """For each source the number of fields that it states, and of those that it wins."""
    counted: dict[str, dict[str, int]] = {}
    for stated in fields.values():
        choice = choose(stated)
        for candidate in stated:
            line = counted.setdefault(candidate["source"], {"states": 0, "stands": 0})
            line["states"] += 1
            line["stands"] += choice is not None and candidate is choice.winner
    return [{"source": source, **line} for source, line in sorted(counted.items())]


def _gaps(identity: Any, commerce: Any) -> list[str]:
    checks = {
        "not_registered": identity["registered"],
        "no_name": identity["display_name"] is not None,
        "no_identifier": bool(identity["identifiers"]),
        "no_verified_identifier": any(identifier["verified"] for identifier in identity["identifiers"]),
        "no_unit": identity["unit"] is not None,
        "documents_waiting": not commerce["waiting"],
    }
    return sorted(name for name, passes in checks.items() if not passes)


def _share(part: int, whole: int) -> int:
    return 100 if whole == 0 else part * 100 // whole
