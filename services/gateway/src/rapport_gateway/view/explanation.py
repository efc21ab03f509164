"""Why a field of the identity is what it is: value, source, rule, and what the others state."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from rapport_gateway.view.facts import State, optional_shown
from rapport_gateway.view.identity import OWN, oldest_first, strictness
from rapport_shared.contracts.survivorship import Candidate, choose

Records = Sequence[dict[str, Any]]
"""The registers of a customer's profiles, as JSON."""

FIELDS = ("kind", "name", "birth_date", "addresses", "language", "industry", "size", "region")
_STATEMENT = ("value", "source", "manual", "verified", "priority", "occurred_at", "event_id")


def explain(field: str, profiles: Sequence[UUID], partials: Mapping[tuple[UUID, str], State]) -> dict[str, Any] | None:
    """The explanation of `identity.<field>`, `identity.attributes.<own field>`, `identity.owner`, `identity.unit` or
    `identity.consents.<purpose>`.

    Its `value` is None where nobody states the field. None for a field that has no explanation.
    """
    records = [partials[profile_id, ""]["profile"] for profile_id in profiles if (profile_id, "") in partials]
    section, _, name = field.partition(".")
    part, _, item = name.partition(".")
    if section != "identity" or (part, bool(item)) not in _EXPLAINED:
        return None
    return {"field": field, **_EXPLAINED[part, bool(item)](records, item or part)}


def _survivorship(records: Records, name: str) -> dict[str, Any]:
    holders = {id(candidate): r["profile_id"] for r in records for candidate in r.get("fields", {}).get(name, ())}
    choice = choose(candidate for record in records for candidate in record.get("fields", {}).get(name, ()))
    if choice is None:
        return {"value": None, "rule": "nobody", "losers": []}

    def statement(candidate: Candidate) -> dict[str, Any]:
        stated = {key: candidate.get(key) for key in _STATEMENT} | {"profile_id": holders[id(candidate)]}
        return stated | {"occurred_at": optional_shown(stated["occurred_at"])}

    losers = [statement(loser) for loser in choice.losers]
    return statement(choice.winner) | {"rule": choice.rule, "losers": losers}


def _own(records: Records, name: str) -> dict[str, Any]:
    return _survivorship(records, OWN + name)


def _oldest(records: Records, name: str) -> dict[str, Any]:
    stated = [{"value": r[name], "profile_id": r["profile_id"]} for r in oldest_first(records) if r.get(name)]
    if not stated:
        return {"value": None, "rule": "nobody", "losers": []}
    return stated[0] | {"rule": "oldest_registered", "losers": stated[1:]}


def _strictest(records: Records, purpose: str) -> dict[str, Any]:
    stated = [
        (strictness(consent), {"value": consent["given"], **_consent(consent), "profile_id": record["profile_id"]})
        for record in records
        for consent in record.get("consents", ())
        if consent["purpose"] == purpose
    ]
    if not stated:
        return {"value": None, "rule": "nobody", "losers": []}
    ordered = [line for _, line in sorted(stated, key=lambda pair: pair[0], reverse=True)]
    return ordered[0] | {"rule": "strictest", "losers": ordered[1:]}


def _consent(consent: dict[str, Any]) -> dict[str, Any]:
    stated = {name: consent.get(name) for name in ("channel", "event_id")}
    return stated | {"occurred_at": optional_shown(consent.get("occurred_at"))}


_EXPLAINED: dict[tuple[str, bool], Callable[[Records, str], dict[str, Any]]] = {
    **{(name, False): _survivorship for name in FIELDS},
    ("attributes", True): _own,
    ("owner", False): _oldest,
    ("unit", False): _oldest,
    ("consents", True): _strictest,
}
