"""The names that a document uses: its own, and those of the documents it depends on or that depend on it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from rapport_scoring.domain.ledger.documents import Statement
from rapport_shared.contracts.touchpoints.commerce import Cost, Document, Invoice
from rapport_shared.contracts.touchpoints.documents import DocumentKey, numbers_named

WORK_ORDER = "work_order"
"""No document, but a name by which a cost finds the invoice of the same work order."""


def names_of(key: DocumentKey, data: Document) -> frozenset[DocumentKey]:
    """Every name that the document `key` uses. Documents that share one have to be looked at together."""
    return frozenset((key, *_named(key.system, data)))


def _named(system: str, data: Document) -> Iterator[DocumentKey]:
    pairs: list[tuple[Any, str | None]] = [*numbers_named(data)]
    match data:
        case Cost(about=about):
            pairs.append((WORK_ORDER, about.work_order))
        case Invoice(work_order=work_order):
            pairs.append((WORK_ORDER, work_order))
    yield from (DocumentKey(system, family, number) for family, number in pairs if number is not None)


def settled_together(statements: Iterable[Statement]) -> list[list[Statement]]:
    """Statements by what they are settled with: those that use a name in common, and so on (a union-find)."""
    parent: dict[object, object] = {}

    def root(thing: object) -> object:
        while parent.setdefault(thing, thing) != thing:
            parent[thing] = thing = parent[parent[thing]]
        return thing

    once = {statement.event_id: statement for statement in statements}
    for event_id, statement in once.items():
        for name in names_of(statement.key, statement.data):
            parent[root(name)] = root(event_id)
    found: defaultdict[object, list[Statement]] = defaultdict(list)
    for event_id, statement in once.items():
        found[root(event_id)].append(statement)
    return list(found.values())
