"""The preview of a merge: the winning value of each field with its rule, what moves, and what contradicts."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from rapport_shared.contracts.customer import ProfileState
from rapport_shared.contracts.survivorship import Candidate, choose

Parties = Mapping[UUID, Sequence[ProfileState]]
"""The registers of each customer's profiles."""

_EXCLUSIVE = frozenset({"kind", "birth_date"})
"""Fields with one value per person: two different values are evidence against a merge."""


def preview(parties: Parties) -> dict[str, Any]:
    """Fields, moves and conflicts of the customer that `parties` become; the order of profiles does not matter."""
    records = [profile.model_dump(mode="json") for profiles in parties.values() for profile in profiles]
    fields = [_field(name, records) for name in sorted({name for record in records for name in record["fields"]})]
    return {
        "fields": fields,
        "moves": [_moves(customer_id, profiles) for customer_id, profiles in parties.items()],
        "conflicts": [*_contradictions(fields), *_consent_conflicts(parties)],
    }


def _field(name: str, records: Sequence[dict[str, Any]]) -> dict[str, Any]:
    held_by: dict[str, str] = {}
    candidates: list[Candidate] = []
    for record in records:
        for candidate in record["fields"].get(name, ()):
            held_by[_place(candidate)] = record["profile_id"]
            candidates.append(candidate)
    choice = choose(candidates)
    assert choice is not None
    return {
        "field": name,
        **_statement(choice.winner, held_by),
        "rule": choice.rule,
        "losers": [_statement(loser, held_by) for loser in choice.losers],
    }


def _place(candidate: Candidate) -> str:
    return f"{candidate['event_id']} {candidate['source']}"


def _statement(candidate: Candidate, held_by: Mapping[str, str]) -> dict[str, Any]:
    shown = {name: candidate[name] for name in ("value", "source", "occurred_at")}
    return shown | {"profile_id": held_by[_place(candidate)]}


def _moves(customer_id: UUID, profiles: Sequence[ProfileState]) -> dict[str, Any]:
    return {
        "customer_id": str(customer_id),
        "profiles": len(profiles),
        "identifiers": sum(len(profile.identifiers) for profile in profiles),
        "consents": sum(len(profile.consents) for profile in profiles),
        "relations": sum(len(profile.relations) for profile in profiles),
    }


def _contradictions(fields: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {"field": field["field"], "code": "differs", "values": [field["value"], *others]}
        for field in fields
        if field["field"] in _EXCLUSIVE
        and (others := _distinct([loser["value"] for loser in field["losers"] if loser["value"] != field["value"]]))
    ]


def _distinct(values: Sequence[Any]) -> list[Any]:
    kept: list[Any] = []
    for value in values:
        if value not in kept:
            kept.append(value)
    return kept


def _consent_conflicts(parties: Parties) -> list[dict[str, Any]]:
    answers: dict[tuple[str, str], set[bool]] = {}
    for profiles in parties.values():
        for profile in profiles:
            for consent in profile.consents:
                answers.setdefault((consent.purpose, consent.channel or ""), set()).add(consent.given)
    return [
        {"field": f"consents.{purpose}", "channel": channel or None, "code": "strictest_holds", "values": [False, True]}
        for (purpose, channel), given in sorted(answers.items())
        if len(given) > 1
    ]
