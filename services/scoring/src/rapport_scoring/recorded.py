"""How a fact is kept: from the event that recorded it to a row, and from rows to what the domain reckons with."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from typing import Any, Final, TypeAlias, get_args
from uuid import UUID
from zoneinfo import ZoneInfo

import orjson

from rapport_scoring.domain.facts import Answer, AssetEvent, Contact, WalletStatement
from rapport_scoring.domain.ledger.documents import Statement, value_day
from rapport_scoring.domain.ledger.names import names_of
from rapport_scoring.store.recordings import Fields, Recording, document_name
from rapport_shared.contracts.codec import Event
from rapport_shared.contracts.interaction import InteractionRecorded
from rapport_shared.contracts.touchpoints import (
    MODEL_OF,
    DocumentKey,
    DocumentTouchpoint,
    document_key,
    read_touchpoint,
    revision,
)
from rapport_shared.contracts.touchpoints.commerce import Document, Wallet
from rapport_shared.contracts.touchpoints.fields import Money

DOCUMENT_KINDS: Final = frozenset(
    get_args(model.model_fields["kind"].annotation)[0] for model in get_args(DocumentTouchpoint)
)
CONTACT_KINDS: Final = frozenset(
    {
        *("call.ended", "email.received", "email.sent", "chat.message", "sms.received", "sms.sent"),
        *("web.form_submitted", "store.visited", "field.visited"),
    }
)
"""Each is one contact. Of a call that is its end: what came before is the same contact."""
ASSET_KINDS: Final = frozenset({"asset.delivered", "asset.serviced", "asset.transferred"})
KINDS: Final = DOCUMENT_KINDS | CONTACT_KINDS | ASSET_KINDS | {"survey.answered", "wallet.reported"}
"""What a value rests on."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A recording and the names that it uses, if it states a document."""

    recording: Recording
    names: frozenset[DocumentKey]


@dataclass(slots=True)
class RecordedFacts:
    """The facts of some profiles. `earliest` and `latest` bound their event times, `last_day` is their last local day.

    `history` are the events that were reported as history; `latest_is_history` says so of all at `latest`.
    """

    statements: list[Statement] = field(default_factory=list)
    contacts: list[Contact] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    wallets: list[WalletStatement] = field(default_factory=list)
    asset_events: list[AssetEvent] = field(default_factory=list)
    earliest: datetime | None = None
    latest: datetime | None = None
    last_day: date | None = None
    history: set[UUID] = field(default_factory=set)
    latest_is_history: bool = False

    def date(self, event_id: UUID, at: datetime, day: date, historical: bool) -> None:
        """Takes note of when a fact happened."""
        if historical:
            self.history.add(event_id)
        if self.latest is None or at > self.latest:
            self.latest, self.latest_is_history = at, historical
        elif at == self.latest:
            self.latest_is_history = self.latest_is_history and historical
        self.earliest = at if self.earliest is None else min(self.earliest, at)
        self.last_day = day if self.last_day is None else max(self.last_day, day)


def recorded(event: Event[Any]) -> Recorded | None:
    """What is kept of a recorded touchpoint; None for one that no value rests on, or that is nobody's yet.

    Nothing personal is kept: of a contact no word, of a survey no comment.
    """
    data: InteractionRecorded = event.data
    if data.profile_id is None or data.kind not in KINDS:
        return None
    touchpoint: Any = read_touchpoint({**data.touchpoint, "id": str(data.touchpoint_id)})
    key = document_key(touchpoint) if data.kind in DOCUMENT_KINDS else None
    body = _body(data, touchpoint)
    if body is None:
        return None
    recording = Recording(
        event_id=event.envelope.id,
        profile_id=data.profile_id,
        key=key,
        kind=data.kind,
        revision=revision(touchpoint) if key is not None else 1,
        occurred_at=event.envelope.occurred_at,
        recorded_at=event.envelope.recorded_at,
        unit=data.unit,
        data=body,
        historical=data.historical,
        channel=data.channel,
    )
    return Recorded(recording, names_of(key, touchpoint.data) if key is not None else frozenset())


def _body(data: InteractionRecorded, touchpoint: Any) -> str | None:
    """The part of a touchpoint's data that is kept, as JSON; None for an answer without a score."""
    stated = touchpoint.data
    if data.kind in DOCUMENT_KINDS or data.kind == "wallet.reported":
        return str(stated.model_dump_json(by_alias=True, exclude_defaults=True))
    if data.kind in CONTACT_KINDS:
        return orjson.dumps(_contact_body(stated)).decode()
    if data.kind in ASSET_KINDS:
        return orjson.dumps(_asset_body(data, stated)).decode()
    return None if stated.score is None else orjson.dumps({"survey": stated.survey, "score": stated.score}).decode()


def _contact_body(stated: Any) -> dict[str, Any]:
    effort = stated.effort
    if effort is None:
        return {"direction": stated.direction, "seconds": 0, "cost": None}
    cost = effort.cost.model_dump() if effort.cost is not None else None
    return {"direction": stated.direction, "seconds": effort.talk_s + effort.hold_s + effort.wrap_s, "cost": cost}


def _asset_body(data: InteractionRecorded, stated: Any) -> dict[str, Any]:
    keys = sorted(data.assets, key=lambda asset: (asset.type != "serial", asset.key))
    ours = getattr(stated, "borne_by", None) == "us" and stated.cost is not None
    return {
        "asset": keys[0].key if keys else "",
        "type": stated.type,
        "model": stated.model,
        "mileage": getattr(stated, "mileage", None),
        "cost_to_us": stated.cost.model_dump() if ours else None,
    }


Kept: TypeAlias = Fields
"""A recording as it is kept, with the time zone of its unit: a row of the database, or what becomes one."""


def kept(recording: Recording, time_zone: str | None) -> Kept:
    """A recording as it is read back."""
    key = recording.key
    system, family, number = (None, None, None) if key is None else (key.system, key.family, key.number)
    return {
        "event_id": recording.event_id,
        "profile_id": recording.profile_id,
        "system": system,
        "family": family,
        "number": number,
        "kind": recording.kind,
        "revision": recording.revision,
        "occurred_at": recording.occurred_at,
        "unit": recording.unit,
        "data": recording.data,
        "historical": recording.historical,
        "channel": recording.channel,
        "begins_on": None,
        "begun": False,
        "time_zone": time_zone,
    }


def local_day(row: Kept) -> date:
    """The day of a recording in its unit."""
    day: date = row["occurred_at"].astimezone(ZoneInfo(row["time_zone"] or "UTC")).date()
    return day


def is_document(row: Kept) -> bool:
    """Whether a recording states a commerce document."""
    return row["kind"] in DOCUMENT_KINDS


def is_contact(row: Kept) -> bool:
    """Whether a recording is a contact."""
    return row["kind"] in CONTACT_KINDS


def statement_of(row: Kept) -> Statement:
    """The statement of a document."""
    return _statement(row, ZoneInfo(row["time_zone"] or "UTC"))


def names_used(statement: Statement) -> frozenset[DocumentKey]:
    """The names that a statement uses."""
    return names_of(statement.key, statement.data)


def facts(rows: Iterable[Kept]) -> RecordedFacts:
    """The facts that `rows` of recordings keep."""
    found = RecordedFacts()
    for row in rows:
        zone = ZoneInfo(row["time_zone"] or "UTC")
        day = row["occurred_at"].astimezone(zone).date()
        found.date(row["event_id"], row["occurred_at"], day, row["historical"])
        _enter(found, row, zone, day)
    return found


def _enter(found: RecordedFacts, row: Kept, zone: ZoneInfo, day: date) -> None:
    kind = row["kind"]
    if kind in DOCUMENT_KINDS:
        found.statements.append(_statement(row, zone))
    elif kind in CONTACT_KINDS:
        found.contacts.append(_contact(row, day))
    elif kind in ASSET_KINDS:
        found.asset_events.append(_asset_event(row, day))
    elif kind == "wallet.reported":
        found.wallets.append(_wallet(row))
    elif kind == "survey.answered":
        said = orjson.loads(row["data"])
        found.answers.append(
            Answer(row["event_id"], row["profile_id"], row["occurred_at"], said["survey"], said["score"])
        )


@lru_cache(maxsize=20_000)
def _document(kind: str, data: str) -> Document:
    # Statements never change, and a customer's are read again at each of its events.
    model: Any = MODEL_OF[kind].model_fields["data"].annotation
    document: Document = model.model_validate_json(data)
    return document


def _statement(row: Kept, zone: ZoneInfo) -> Statement:
    data, key = _document(row["kind"], row["data"]), document_name(row)
    assert key is not None
    return Statement(
        event_id=row["event_id"],
        profile_id=row["profile_id"],
        key=key,
        kind=row["kind"],
        revision=row["revision"],
        occurred_at=row["occurred_at"],
        unit=row["unit"],
        data=data,
        day=value_day(data, row["occurred_at"], zone),
    )


def _contact(row: Kept, day: date) -> Contact:
    body = orjson.loads(row["data"])
    return Contact(
        event_id=row["event_id"],
        profile_id=row["profile_id"],
        occurred_at=row["occurred_at"],
        day=day,
        kind=row["kind"],
        channel=row["channel"],
        direction=body["direction"],
        seconds=body["seconds"],
        cost=_money(body["cost"]),
    )


def _asset_event(row: Kept, day: date) -> AssetEvent:
    body = orjson.loads(row["data"])
    return AssetEvent(
        event_id=row["event_id"],
        profile_id=row["profile_id"],
        occurred_at=row["occurred_at"],
        asset=body["asset"],
        happened=row["kind"].removeprefix("asset."),
        type=body["type"],
        model=body["model"],
        mileage=body["mileage"],
        day=day,
        cost_to_us=_money(body["cost_to_us"]),
    )


def _wallet(row: Kept) -> WalletStatement:
    wallet = Wallet.model_validate_json(row["data"])
    return WalletStatement(
        event_id=row["event_id"],
        profile_id=row["profile_id"],
        occurred_at=row["occurred_at"],
        category=wallet.category,
        from_day=wallet.from_day,
        until=wallet.until,
        amount=wallet.amount,
        currency=wallet.currency,
        basis=wallet.basis,
        single_source=wallet.single_source,
        rivals=tuple((rival.name, rival.amount) for rival in wallet.rivals),
    )


def _money(stated: dict[str, Any] | None) -> Money | None:
    return None if stated is None else Money(amount=stated["amount"], currency=stated["currency"])
