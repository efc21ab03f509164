"""What a policy would do: the real engine on the recorded past, under the rules in force and under it, side by side.

Nothing is published and nothing remembered. Segments are tried on everybody as they stand; other policies on the last
ninety days of a sample, which is drawn by the customers' ids and hence is the same every time.
"""

import asyncio
import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from rapport_scoring.domain.assessment import Assessment, Occasion, assess
from rapport_scoring.domain.customer import CustomerFacts
from rapport_scoring.domain.dynamics.tiers import TierPolicy
from rapport_scoring.domain.dynamics.trigger_policy import TriggerPolicy
from rapport_scoring.domain.memory import Memory
from rapport_scoring.domain.replay import replay, window_of
from rapport_scoring.domain.rules import Rules
from rapport_scoring.domain.segments import SegmentPolicy, compile_segments, finds_all
from rapport_scoring.domain.value_policy import ValuePolicy
from rapport_scoring.runs.base import Progress, everybody
from rapport_shared.database import Database

DAYS: Final = 90
SAMPLE: Final = 1_000
MOST_NAMED: Final = 20


async def simulate(
    database: Database,
    rules: Rules,
    kind: str,
    name: str,
    document: Mapping[str, Any],
    now: datetime,
    progress: Progress,
) -> dict[str, Any]:
    """What the policy would do; takes a few milliseconds a customer."""
    if kind == "segment":
        return await _preview(database, rules, name, SegmentPolicy.model_validate(document), now, progress)
    return await _compare(database, rules, changed(rules, kind, document), now, progress)


def changed(rules: Rules, kind: str, document: Mapping[str, Any]) -> Rules:
    """The rules in force with one policy in the place of another. Raises ValueError for a kind that is none."""
    match kind:
        case "value":
            return replace(rules, value=ValuePolicy.model_validate(document))
        case "tier":
            return replace(rules, tier=TierPolicy.model_validate(document))
        case "trigger":
            return replace(rules, trigger=TriggerPolicy.model_validate(document))
        case _:
            raise ValueError(f"{kind} is no policy of values")


@dataclass(slots=True)
class _Tally:
    customers: int = 0
    before: Counter[str] = field(default_factory=Counter)
    after: Counter[str] = field(default_factory=Counter)
    tiers: Counter[str] = field(default_factory=Counter)
    total_before: int = 0
    total_after: int = 0
    moved: list[dict[str, Any]] = field(default_factory=list)
    differing: int = 0
    cut: int = 0

    def take(self, customer: UUID, was: Assessment, would: Assessment) -> None:
        """Compares how a customer stands."""
        one, other = was.score, would.score
        self.total_before += one.total.amount if one.total else 0
        self.total_after += other.total.amount if other.total else 0
        tiers = one.tier.name if one.tier else "", other.tier.name if other.tier else ""
        differs = {
            name: [before, after]
            for name, before, after in (
                ("tier", *tiers),
                ("stage", one.stage.name if one.stage else "", other.stage.name if other.stage else ""),
                ("total", one.total and one.total.amount, other.total and other.total.amount),
            )
            if before != after
        }
        if tiers[0] != tiers[1]:
            self.tiers[f"{tiers[0]} → {tiers[1]}"] += 1
        self.differing += bool(differs)
        if differs and len(self.moved) < MOST_NAMED:
            self.moved.append({"customer_id": str(customer), "changes": differs})


async def _compare(
    database: Database, rules: Rules, proposed: Rules, now: datetime, progress: Progress
) -> dict[str, Any]:
    since, until = window_of(DAYS, now)
    tally = _Tally()
    async for page in everybody(database, progress):
        for facts in page:
            if _sampled(facts.customer_id, progress.total or 0):
                _replay_both(tally, facts, rules, proposed, since, until)
                await asyncio.sleep(0)
    return {
        "days": DAYS,
        "customers": tally.customers,
        "of": progress.total,
        "complete": tally.customers == progress.total,
        "would_change": tally.differing,
        "tiers": dict(tally.tiers),
        "total": {"before": tally.total_before, "after": tally.total_after, "currency": rules.value.rates.reporting},
        "told": {"before": dict(sorted(tally.before.items())), "after": dict(sorted(tally.after.items()))},
        "cut_short": tally.cut,
        "examples": tally.moved,
    }


def _replay_both(
    tally: _Tally, facts: CustomerFacts, rules: Rules, proposed: Rules, since: datetime, until: datetime
) -> None:
    was, would = replay(facts, rules, since, until), replay(facts, proposed, since, until)
    tally.customers += 1
    tally.before.update(was.events)
    tally.after.update(would.events)
    tally.cut += not (was.complete and would.complete)
    if was.last is not None and would.last is not None:
        tally.take(facts.customer_id, was.last, would.last)


def _sampled(customer: UUID, of: int) -> bool:
    if of <= SAMPLE:
        return True
    drawn = int.from_bytes(hashlib.sha256(customer.bytes).digest()[:4], "big")
    return drawn * of < SAMPLE * 2**32


async def _preview(
    database: Database, rules: Rules, name: str, policy: SegmentPolicy, now: datetime, progress: Progress
) -> dict[str, Any]:
    alone = replace(rules, segments=compile_segments({name: policy}))
    members: list[str] = []
    matched = customers = 0
    async for page in everybody(database, progress):
        for facts in page:
            customers += 1
            found = assess(facts, alone, Memory(), Occasion(now, now))
            if name in found.score.segments:
                matched += 1
                members += [str(facts.customer_id)] if len(members) < MOST_NAMED else []
            await asyncio.sleep(0)
    return {"customers": customers, "matched": matched, "problem": finds_all(matched, customers), "examples": members}
