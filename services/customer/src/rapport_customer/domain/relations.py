"""Relations of a profile: one snapshot per source, and statements by hand. Changes may come in any order."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from rapport_shared.contracts.customer import EndedRelation, ProfileState, RelationState
from rapport_shared.contracts.ids import source_profile_id
from rapport_shared.normalisation import normalise_identifier, system_and_record

Relations = tuple[RelationState, ...]


def relations_of(
    stated: Iterable[Mapping[str, Any]], source: str, manual: bool, occurred_at: datetime, event_id: UUID
) -> Relations:
    """What a source states, as a report or an edit has it: `[{type, to: {system, record}}]`."""
    return tuple(
        RelationState(
            type=relation["type"],
            to=relation["to"],
            profile_id=profile_of(relation["to"]),
            source=source,
            manual=manual,
            occurred_at=occurred_at,
            event_id=event_id,
        )
        for relation in stated
    )


def with_snapshot(known: Relations, source: str, stated: Relations) -> Relations:
    """The relations after a snapshot of `source`: it replaces its earlier one, and what nobody is known to state."""
    again = {target(relation) for relation in stated}
    others = [
        relation
        for relation in known
        if relation.source != source and not (relation.source is None and target(relation) in again)
    ]
    return _ordered((*others, *stated))


def without_statement(known: Relations, event_id: UUID) -> Relations:
    """The relations without those that the fact `event_id` stated."""
    return tuple(relation for relation in known if relation.event_id != event_id)


def with_relation(state: ProfileState, relation: RelationState) -> ProfileState:
    """The register with a relation stated by hand. A relation that was ended is in force again."""
    others = [one for one in state.relations if not (one.manual and target(one) == target(relation))]
    return lifted(state.model_copy(update={"relations": _ordered((*others, relation))}), [relation])


def without_relation(state: ProfileState, end: EndedRelation) -> ProfileState | None:
    """The register without a relation: no longer stated by hand, and ended where a source states it.

    None if the relation is not in force.
    """
    place = (end.type, end.profile_id)
    if place not in {target(relation) for relation in standing(state)}:
        return None
    left = tuple(one for one in state.relations if not (one.manual and target(one) == place))
    ended = state.ended_relations
    if any(target(one) == place for one in left):
        ended = tuple(sorted((*ended, end), key=lambda one: (one.type, str(one.profile_id))))
    return state.model_copy(update={"relations": left, "ended_relations": ended})


def lifted(state: ProfileState, stated: Iterable[RelationState]) -> ProfileState:
    """The register in which no relation of `stated` is ended."""
    again = {target(relation) for relation in stated}
    ended = tuple(end for end in state.ended_relations if (end.type, end.profile_id) not in again)
    return state.model_copy(update={"ended_relations": ended})


def standing(state: ProfileState) -> list[RelationState]:
    """The statements in force."""
    ended = {(end.type, end.profile_id) for end in state.ended_relations}
    return [relation for relation in state.relations if target(relation) not in ended]


def target(relation: RelationState) -> tuple[str, UUID]:
    """The identity of a relation, independent of its source: its type and its target profile."""
    if relation.profile_id is not None:
        return relation.type, relation.profile_id
    return relation.type, profile_of(relation.to)


def profile_of(to: Mapping[str, str]) -> UUID:
    """The profile of a source record, as the record's own reports name it; it need not be known."""
    form = normalise_identifier("external", to["record"], system=to["system"])
    return source_profile_id(*system_and_record(form.normal))


def _ordered(relations: Iterable[RelationState]) -> Relations:
    kept = {(*target(relation), relation.source or ""): relation for relation in relations}
    return tuple(kept[place] for place in sorted(kept, key=lambda one: (one[0], str(one[1]), one[2])))
