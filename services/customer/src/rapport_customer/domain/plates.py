"""The history of a plate, which may move from vehicle to vehicle. Statements may come in any order."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from rapport_shared.contracts.customer import AssetKey, AssetState


@dataclass(frozen=True, slots=True)
class PlateStatement:
    """The statement that a plate was on an asset at an instant."""

    asset_id: UUID
    stated_at: datetime
    event_id: UUID


@dataclass(frozen=True, slots=True)
class Span:
    """The period of a plate on an asset: without a begin if `from_at` is None, until now if `until` is None."""

    asset_id: UUID
    from_at: datetime | None
    until: datetime | None


def spans(statements: Iterable[PlateStatement]) -> list[Span]:
    """The spans of a plate in order of time. An asset keeps the plate until another asset is reported with it."""
    begins: list[tuple[UUID, datetime]] = []
    for statement in sorted(statements, key=lambda one: (one.stated_at, one.event_id)):
        if not begins or begins[-1][0] != statement.asset_id:
            begins.append((statement.asset_id, statement.stated_at))
    ends = [at for _, at in begins[1:]]
    return [
        Span(asset_id, None if number == 0 else at, ends[number] if number < len(ends) else None)
        for number, (asset_id, at) in enumerate(begins)
    ]


def asset_at(known: Sequence[Span], at: datetime) -> UUID | None:
    """The asset that a plate was on at an instant; None for a plate that nobody has reported."""
    began = [span.asset_id for span in known if span.from_at is None or span.from_at <= at]
    return began[-1] if began else None


def with_plate(state: AssetState, plate: AssetKey, known: Sequence[Span]) -> AssetState:
    """The asset with a plate by the spans `known`: among its keys, or among its former keys after the plate left."""
    if not known:
        return state
    bare = plate.model_copy(update={"from_at": None, "until": None})
    own = [
        bare.model_copy(update={"from_at": span.from_at, "until": span.until})
        for span in known
        if span.asset_id == state.asset_id
    ]
    keys = [key for key in state.keys if key.key != plate.key] + [key for key in own if key.until is None]
    former = [key for key in state.former_keys if key.key != plate.key] + [key for key in own if key.until is not None]
    return state.model_copy(
        update={
            "keys": tuple(sorted(keys, key=lambda key: (key.type, key.key))),
            "former_keys": tuple(sorted(former, key=lambda key: (str(key.until), key.key))),
        }
    )
