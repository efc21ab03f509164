"""Policies of another service, as it last activated them: whoever acts on one keeps it in its own database.

The consumer is one of its own, for it must have read the owner's topic from the beginning, where another consumer of
the service stood further already when the policy came to be.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import orjson

from rapport_shared.contracts.catalogue import CUSTOMER_EVENTS, CUSTOMER_POLICY_ACTIVATED
from rapport_shared.contracts.codec import Event, decode_event
from rapport_shared.contracts.policies import PolicyActivated
from rapport_shared.database import Connection, Reading
from rapport_shared.messaging.consumer import Subscription
from rapport_shared.messaging.outcomes import decide
from rapport_shared.messaging.records import Record
from rapport_shared.own_fields import UNDECLARED, OwnRules, read_fields
from rapport_shared.policies import PolicyPlace

FIELDS_PLACE: Final = PolicyPlace("fields", "default")
"""Own fields are the same in the whole firm."""

REGISTER_TABLE: Final = """
CREATE TABLE policy_register (
    place    text PRIMARY KEY,
    sequence bigint NOT NULL,
    version  integer NOT NULL,
    document text NOT NULL
);
"""


@dataclass(frozen=True, slots=True)
class RegisteredPolicy:
    """A policy as its owner last said it is in force."""

    place: PolicyPlace
    sequence: int
    version: int
    document: bytes


@dataclass(frozen=True, slots=True)
class FieldsInForce:
    """The own fields that are declared, and the version of the policy."""

    version: int
    rules: OwnRules


def own_fields_register() -> Subscription[RegisteredPolicy]:
    """Keeps the `fields` policy. A document that cannot be read is rejected; the one before it stays in force."""
    return Subscription(
        consumer="fields",
        topics=(CUSTOMER_EVENTS,),
        decode=partial(_decode, FIELDS_PLACE, read_fields),
        apply=_apply,
    )


async def fields_in_force(connection: Reading) -> FieldsInForce:
    """The own fields that are declared, as far as this service has heard. Cheap: a document is read once."""
    query = "SELECT version, document FROM policy_register WHERE place = $1"
    rows = await connection.fetch(query, str(FIELDS_PLACE))
    if not rows:
        return FieldsInForce(0, UNDECLARED)
    return FieldsInForce(rows[0]["version"], read_fields(rows[0]["document"].encode()))


async def own_rules(connection: Reading) -> OwnRules:
    """The rules of the own fields that are declared."""
    return (await fields_in_force(connection)).rules


def _decode(place: PolicyPlace, read: Callable[[bytes], object], record: Record) -> RegisteredPolicy | None:
    if record.headers.get("ce_type") != CUSTOMER_POLICY_ACTIVATED.wire:
        return None
    event: Any = decode_event(record.headers, record.value)
    if not isinstance(event, Event):
        return None
    activated: PolicyActivated = event.data
    if PolicyPlace(activated.kind, activated.name, activated.unit) != place:
        return None
    document = orjson.dumps(activated.document)
    decide(read, document)
    return RegisteredPolicy(place, event.envelope.sequence, activated.version, document)


async def _apply(connection: Connection, policies: Sequence[RegisteredPolicy]) -> None:
    await connection.executemany(
        "INSERT INTO policy_register (place, sequence, version, document) VALUES ($1, $2, $3, $4) "
        "ON CONFLICT (place) DO UPDATE SET sequence = excluded.sequence, version = excluded.version, "
        "document = excluded.document WHERE policy_register.sequence < excluded.sequence",
        [(str(one.place), one.sequence, one.version, one.document.decode()) for one in policies],
    )
