"""Policies of another service, as it last activated them: whoever acts on one keeps it in its own database.

The consumer is one of its own, for it must have read the owner's topic from the beginning, where another consumer of
the service stood further already when the policy came to be.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import orjson

from rapport_shared.contracts.catalogue import CUSTOMER_EVENTS, CUSTOMER_POLICY_ACTIVATED
from rapport_shared.contracts.interaction import ATTRIBUTION_ORDER, IdentifierType
from rapport_shared.contracts.policies import PolicyActivated
from rapport_shared.database import Connection, Reading
from rapport_shared.messaging.consumer import Subscription
from rapport_shared.messaging.outcomes import rejecting
from rapport_shared.messaging.records import Record, read_event
from rapport_shared.own_fields import UNDECLARED, OwnRules, read_fields
from rapport_shared.policies import PolicyPlace

FIELDS_PLACE: Final = PolicyPlace("fields", "default")
"""Own fields are the same in the whole firm."""
MATCHING_PLACE: Final = PolicyPlace("matching", "default")

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


def policy_register(*places: PolicyPlace) -> Subscription[RegisteredPolicy]:
    """Keeps the policies at `places`. A document that cannot be read is rejected; the one before it stays in force."""
    return Subscription(
        consumer="policies",
        topics=(CUSTOMER_EVENTS,),
        decode=partial(_decode, frozenset(places)),
        apply=_apply,
        types=frozenset({CUSTOMER_POLICY_ACTIVATED.wire}),
    )


def read_order(document: bytes) -> tuple[IdentifierType, ...]:
    """The order of a `matching` policy's document; types that it leaves out follow in the order that is shipped.

    Raises `ValueError` for a type that is not known.
    """
    stated = [IdentifierType(name) for name in orjson.loads(document).get("order") or ()]
    return tuple(dict.fromkeys((*stated, *ATTRIBUTION_ORDER)))


@dataclass(frozen=True, slots=True)
class IntakeRules:
    """What touchpoints are recorded by: the own fields that are declared, and which identifier decides where those of
    one touch lead to different customers."""

    own: OwnRules
    order: tuple[IdentifierType, ...]


async def intake_rules(connection: Reading) -> IntakeRules:
    """The rules of intake in force, as far as this service has heard."""
    query = "SELECT place, document FROM policy_register WHERE place = ANY($1)"
    rows = await connection.fetch(query, [str(FIELDS_PLACE), str(MATCHING_PLACE)])
    documents: dict[str, bytes] = {row["place"]: row["document"].encode() for row in rows}
    fields, matching = documents.get(str(FIELDS_PLACE)), documents.get(str(MATCHING_PLACE))
    return IntakeRules(
        read_fields(fields) if fields is not None else UNDECLARED,
        read_order(matching) if matching is not None else ATTRIBUTION_ORDER,
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


_READERS: Final[Mapping[PolicyPlace, Callable[[bytes], object]]] = {
    FIELDS_PLACE: read_fields,
    MATCHING_PLACE: read_order,
}


def _decode(places: Collection[PolicyPlace], record: Record) -> RegisteredPolicy | None:
    event = read_event(record)
    if event is None:
        return None
    activated: PolicyActivated = event.data
    place = PolicyPlace(activated.kind, activated.name, activated.unit)
    if place not in places:
        return None
    document = orjson.dumps(activated.document)
    rejecting(_READERS[place], document)
    return RegisteredPolicy(place, event.envelope.sequence, activated.version, document)


async def _apply(connection: Connection, policies: Sequence[RegisteredPolicy]) -> None:
    await connection.executemany(
        "INSERT INTO policy_register (place, sequence, version, document) VALUES ($1, $2, $3, $4) "
        "ON CONFLICT (place) DO UPDATE SET sequence = excluded.sequence, version = excluded.version, "
        "document = excluded.document WHERE policy_register.sequence < excluded.sequence",
        [(str(one.place), one.sequence, one.version, one.document.decode()) for one in policies],
    )
