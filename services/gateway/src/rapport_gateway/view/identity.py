"""The identity section: the registers of the profiles, and the winner of each field."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from rapport_gateway.view.facts import Fact, State, is_later, shown_instant
from rapport_shared.contracts.survivorship import Seniority, choose, of_first, seniority
from rapport_shared.own_fields import lookup_key

NAME = "identity"
OTHER_NAMES = 5
OWN = "attributes."
"""The name under which the view shows the deployment's own fields."""
_SHOWN = ("birth_date", "addresses", "language", "industry", "size", "region")


def targets(fact: Fact) -> Iterable[tuple[UUID, str]]:
    """A profile's register is one partial."""
    if fact.type == "customer.profile_changed" and fact.profile_id is not None:
        yield fact.profile_id, ""


def fold(state: State | None, fact: Fact, item: str) -> State | None:
    """Keeps the state with the highest sequence."""
    return {"sequence": fact.sequence, "profile": fact.data["profile"]} if is_later(fact, state) else state


def render(customer_id: UUID, profiles: Sequence[UUID], partials: Mapping[tuple[UUID, str], State]) -> Any:
    """Fields by survivorship; unit and owner of the oldest registered profile that has one; the strictest consent.

    What relates the customer to others is added afterwards: it depends on them.
    """
    known = [partials[profile_id, ""] for profile_id in profiles if (profile_id, "") in partials]
    records = [state["profile"] for state in known]
    root = partials.get((customer_id, ""))
    fields = {name: winner for name in _field_names(records) if (winner := _winner(records, name)) is not None}
    name = fields.pop("name", None)
    return {
        "kind": fields.pop("kind", None),
        "display_name": display_name(name),
        "also_known_as": _other_names(records, display_name(name)),
        "name": name,
        "fields": {key: fields[key] for key in _SHOWN if key in fields},
        "registered": any(record["registered"] for record in records),
        "profiles": [
            {"profile_id": str(profile_id), **_profile_line(partials.get((profile_id, "")))} for profile_id in profiles
        ],
        "identifiers": _identifiers(records),
        "unit": _first(records, "unit"),
        "units": sorted({record["unit"] for record in records if record.get("unit")}),
        "owner": _first(records, "owner"),
        "consents": _consents(records),
        "attributes": _attributes(fields),
        "relations": [],
        "relations_total": 0,
        "related": {},
        "etag": f'"{root["sequence"]}"' if root else None,
    }


def _attributes(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The values of the declared own fields, by name."""
    return {name.removeprefix(OWN): value for name, value in fields.items() if name.startswith(OWN)}


def name_of(records: Sequence[dict[str, Any]]) -> Any:
    """The name of the customer of these registers; None if no source states one."""
    return display_name(_winner(records, "name"))


def held_keys(profile: Mapping[str, Any]) -> set[str]:
    """What a profile is looked up by: the keys of its identifiers, and those of its own fields' values."""
    own = (
        lookup_key(name.removeprefix(OWN), candidate["value"])
        for name, candidates in profile.get("fields", {}).items()
        if name.startswith(OWN)
        for candidate in candidates
    )
    return {identifier["key"] for identifier in profile.get("identifiers", ())} | {key for key in own if key}


def display_name(name: Any) -> Any:
    """What to call somebody: the display name, else family and given name."""
    if not isinstance(name, dict) or "erased" in name:
        return name
    if name.get("display"):
        return name["display"]
    parts = [part for part in (name.get("given"), name.get("family")) if isinstance(part, str)]
    return " ".join(parts) or None


def _other_names(records: Sequence[dict[str, Any]], shown: Any) -> list[str]:
    """What else sources and people call the customer, in alphabetical order."""
    stated = (c["value"] for record in records for c in record.get("fields", {}).get("name", ()))
    names = {name for value in stated if isinstance(name := display_name(value), str)}
    return sorted(name for name in names if name != shown)[:OTHER_NAMES]


def _profile_line(state: State | None) -> dict[str, Any]:
    if state is None:
        return {"registered": False, "sources": []}
    record = state["profile"]
    sources = [{"system": source["system"], "record": source.get("record")} for source in record.get("sources", ())]
    return {"registered": record["registered"], "sources": sources}


def _field_names(records: Sequence[dict[str, Any]]) -> list[str]:
    return sorted({name for record in records for name in record.get("fields", {})})


def _winner(records: Sequence[dict[str, Any]], name: str) -> Any:
    choice = choose(candidate for record in records for candidate in record.get("fields", {}).get(name, ()))
    return choice.winner["value"] if choice else None


def _identifiers(records: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    shown: dict[str, dict[str, Any]] = {}
    for record in records:
        for held in record.get("identifiers", ()):
            line = shown.setdefault(
                held["key"],
                {
                    "type": held["type"],
                    "key": held["key"],
                    "value": held["normal"],
                    "verified": False,
                    "routed": False,
                },
            )
            line["verified"] = line["verified"] or held["verified"]
            line["routed"] = line["routed"] or held["routed"]
    return sorted(shown.values(), key=lambda line: (not line["routed"], line["type"], line["key"]))


def _first(records: Sequence[dict[str, Any]], name: str) -> Any:
    return of_first((_seniority(record), record.get(name)) for record in records)


def oldest_first(records: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Records in the order in which they decide on a customer's unit and owner."""
    return sorted(records, key=_seniority)


def _seniority(record: Mapping[str, Any]) -> Seniority:
    return seniority(record["registered"], datetime.fromisoformat(record["created_at"]), record["profile_id"])


def _consents(records: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    strictest: dict[tuple[str, str], dict[str, Any]] = {}
    for record in records:
        for consent in record.get("consents", ()):
            place = (consent["purpose"], consent.get("channel") or "")
            strictest[place] = max(consent, strictest.get(place, consent), key=strictness)
    return [
        {
            "purpose": purpose,
            "channel": channel or None,
            "given": consent["given"],
            "since": shown_instant(consent["occurred_at"]),
        }
        for (purpose, channel), consent in sorted(strictest.items())
    ]


def strictness(consent: dict[str, Any]) -> tuple[bool, datetime, str]:
    """The order of consents to one purpose: withdrawn before given, then the latest."""
    return (not consent["given"], datetime.fromisoformat(consent["occurred_at"]), consent["event_id"])
