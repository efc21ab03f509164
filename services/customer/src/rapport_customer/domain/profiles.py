"""A profile's register: the statement of each source about each field. Rendering chooses the winner.

Changes may come in any order: of one source, the statement with the greatest `(occurred_at, event_id)` counts.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from rapport_customer.domain.relations import lifted, relations_of, with_snapshot, without_statement
from rapport_shared.contracts.customer import (
    ConsentState,
    FieldCandidate,
    HeldIdentifier,
    ProfileState,
    RelationState,
    SourceState,
)

MANUAL = "manual"
FIELDS = ("kind", "name", "addresses", "birth_date", "language", "industry", "size", "region")
"""The fields that survivorship chooses among; relations are snapshots beside each other."""


@dataclass(frozen=True, slots=True)
class Statement:
    """The fields that one source stated about a profile at one time, with the event.

    `relations` is None of an edit by hand that leaves them as they are.
    """

    system: str
    record: str | None
    fields: Mapping[str, Any]
    relations: tuple[RelationState, ...] | None
    occurred_at: datetime
    event_id: UUID
    manual: bool = False
    priority: int = 0

    @property
    def source(self) -> str:
        """The name of the source among the candidates of a field."""
        return MANUAL if self.manual else f"{self.system}:{self.record or ''}"


def with_stated_relations(statement: Statement, stated: Iterable[Mapping[str, Any]]) -> Statement:
    """The statement with the relations that a report or an edit names."""
    said = (statement.source, statement.manual, statement.occurred_at, statement.event_id)
    return replace(statement, relations=relations_of(stated, *said))


def provisional(profile_id: UUID, created_at: datetime) -> ProfileState:
    """A profile known only by its touches."""
    return ProfileState(profile_id=profile_id, registered=False, created_at=created_at)


def with_report(state: ProfileState, statement: Statement) -> ProfileState:
    """The register after a source's snapshot: it replaces the source's earlier one, field by field."""
    known = next((s for s in state.sources if (s.system, s.record) == (statement.system, statement.record)), None)
    if known is not None and (known.occurred_at, known.event_id) >= (statement.occurred_at, statement.event_id):
        return state
    source = SourceState(
        system=statement.system,
        record=statement.record,
        occurred_at=statement.occurred_at,
        event_id=statement.event_id,
    )
    sources = [s for s in state.sources if (s.system, s.record) != (statement.system, statement.record)]
    candidates = {
        name: tuple(candidate for candidate in state.fields.get(name, ()) if candidate.source != statement.source)
        for name in {*state.fields, *statement.fields}
    }
    for name, value in statement.fields.items():
        candidates[name] += (_candidate(statement, value),)
    return state.model_copy(
        update={
            "sources": tuple(sorted((*sources, source), key=lambda s: (s.system, s.record or ""))),
            "fields": _sorted_fields(candidates),
            "relations": with_snapshot(state.relations, statement.source, statement.relations or ()),
        }
    )


def with_edit(state: ProfileState, statement: Statement) -> ProfileState:
    """The register after an edit by hand. A value states the field by hand; None withdraws the statement by hand."""
    candidates = dict(state.fields)
    for name, value in statement.fields.items():
        others = tuple(candidate for candidate in candidates.get(name, ()) if candidate.source != MANUAL)
        candidates[name] = others if value is None else (*others, _candidate(statement, value))
    edited = state.model_copy(update={"fields": _sorted_fields(candidates)})
    if statement.relations is None:
        return edited
    relations = with_snapshot(state.relations, MANUAL, statement.relations)
    return lifted(edited.model_copy(update={"relations": relations}), statement.relations)


def with_consent(state: ProfileState, consent: ConsentState) -> ProfileState:
    """The register after a consent was given or withdrawn for a purpose (and channel)."""
    place = (consent.purpose, consent.channel)
    known = next((c for c in state.consents if (c.purpose, c.channel) == place), None)
    if known is not None and (known.occurred_at, known.event_id) >= (consent.occurred_at, consent.event_id):
        return state
    others = [c for c in state.consents if (c.purpose, c.channel) != place]
    consents = sorted((*others, consent), key=lambda c: (c.purpose, c.channel or ""))
    return state.model_copy(update={"consents": tuple(consents)})


def without_report(state: ProfileState, event_id: UUID) -> ProfileState:
    """The register without the snapshot of the report `event_id`; the caller applies the replaced reports again.

    Identifiers, and that the profile is registered, stay.
    """
    fields = {
        name: [candidate for candidate in candidates if candidate.event_id != event_id]
        for name, candidates in state.fields.items()
    }
    sources = tuple(source for source in state.sources if source.event_id != event_id)
    relations = without_statement(state.relations, event_id)
    return state.model_copy(update={"sources": sources, "fields": _sorted_fields(fields), "relations": relations})


def with_identifier(state: ProfileState, identifier: HeldIdentifier) -> ProfileState:
    """The register holding `identifier`; verified once is verified."""
    known = next((held for held in state.identifiers if held.key == identifier.key), None)
    if known is not None:
        identifier = known.model_copy(
            update={"verified": known.verified or identifier.verified, "routed": identifier.routed}
        )
    others = [held for held in state.identifiers if held.key != identifier.key]
    identifiers = sorted((*others, identifier), key=lambda held: (held.type, held.key))
    return state.model_copy(update={"identifiers": tuple(identifiers)})


def without_identifier(state: ProfileState, key: str) -> ProfileState:
    """The register without the identifier of `key`."""
    return state.model_copy(update={"identifiers": tuple(held for held in state.identifiers if held.key != key)})


def with_routed(state: ProfileState, key: str, *, routed: bool) -> ProfileState:
    """The register that says whether touchpoints with the identifier of `key` go to this profile."""
    identifiers = tuple(
        held.model_copy(update={"routed": routed}) if held.key == key else held for held in state.identifiers
    )
    return state.model_copy(update={"identifiers": identifiers})


_PARTS = (
    *("registered", "sources", "identifiers", "consents", "relations", "ended_relations"),
    *("unit", "owner"),
)


def changed_parts(before: ProfileState, after: ProfileState) -> tuple[str, ...]:
    """The names of what differs, fields by their own names."""
    parts = [name for name in _PARTS if getattr(before, name) != getattr(after, name)]
    fields = {*before.fields, *after.fields}
    parts += [name for name in fields if before.fields.get(name) != after.fields.get(name)]
    return tuple(sorted(parts))


def _candidate(statement: Statement, value: Any) -> FieldCandidate:
    return FieldCandidate(
        value=value,
        source=statement.source,
        manual=statement.manual,
        priority=statement.priority,
        occurred_at=statement.occurred_at,
        event_id=statement.event_id,
    )


def _sorted_fields(candidates: Mapping[str, Iterable[FieldCandidate]]) -> dict[str, tuple[FieldCandidate, ...]]:
    ordered = {name: tuple(sorted(candidates[name], key=lambda c: c.source)) for name in sorted(candidates)}
    return {name: kept for name, kept in ordered.items() if kept}
