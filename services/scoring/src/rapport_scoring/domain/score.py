"""A customer's score: the ledger's sums, and what they stand on."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from uuid import UUID

from rapport_scoring.domain.ledger import Ledger
from rapport_scoring.domain.lines import LedgerLine
from rapport_shared.contracts.money import Amount
from rapport_shared.contracts.scoring import ContemporaryValue, ScoreUpdated

POLICY_VERSION = 1
"""The rules of this release; policies that a deployment activates will number on."""


def score(customer_id: UUID, profiles: Iterable[UUID], of: Ledger, parameter_version: int) -> ScoreUpdated:
    """The score of a customer made of `profiles`. It depends on the ledger alone, never on when it is computed."""
    return ScoreUpdated(
        customer_id=customer_id,
        as_of=max((statement.occurred_at for statement in of.statements), default=None),
        policy_version=POLICY_VERSION,
        parameter_version=parameter_version,
        profiles=tuple(sorted(profiles)),
        contemporary=contemporary(of.lines),
        lines=len(of.lines),
        waiting=len(of.waiting),
        facts_digest=facts_digest(of),
    )


def contemporary(lines: Iterable[LedgerLine]) -> ContemporaryValue:
    """The sums of `lines`: in all, of each part, and of what is estimated."""
    total: defaultdict[str, int] = defaultdict(int)
    estimated: defaultdict[str, int] = defaultdict(int)
    parts: defaultdict[str, defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))
    for line in lines:
        total[line.currency] += line.amount
        parts[line.part.value][line.currency] += line.amount
        if line.estimated:
            estimated[line.currency] += line.amount
    return ContemporaryValue(
        lifetime=_amounts(total),
        lifetime_parts={part: _amounts(sums) for part, sums in sorted(parts.items())},
        lifetime_estimated=_amounts(estimated),
    )


def facts_digest(of: Ledger) -> str:
    """SHA-256 over the ids of the events that stand: the same facts give the same digest, in any order."""
    return hashlib.sha256(b"".join(sorted(statement.event_id.bytes for statement in of.statements))).hexdigest()


def _amounts(sums: dict[str, int]) -> tuple[Amount, ...]:
    return tuple(Amount(amount=amount, currency=currency) for currency, amount in sorted(sums.items()))
