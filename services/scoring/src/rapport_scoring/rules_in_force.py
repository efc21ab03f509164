"""The rules that are in force: read from the database when one was activated or fitted, and kept until the next."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson

from rapport_scoring.domain.dynamics.tiers import TierPolicy
from rapport_scoring.domain.dynamics.trigger_policy import TriggerPolicy
from rapport_scoring.domain.forecast import FittedParameters, prior_parameters
from rapport_scoring.domain.needs.suggestions import PeerBaskets
from rapport_scoring.domain.rules import ALWAYS, Rules, Versions
from rapport_scoring.domain.segments import SegmentPolicy, compile_segments
from rapport_scoring.domain.value_policy import ValuePolicy
from rapport_scoring.store import parameters, policies
from rapport_shared.database import Reading, Row


@dataclass(frozen=True, slots=True)
class ActivePolicy:
    """A policy that is in force: its version, its document, and since when; version 0 is what ships."""

    version: int = 0
    document: Mapping[str, Any] = field(default_factory=dict)
    activated_at: datetime = ALWAYS


@dataclass(slots=True)
class RulesInForce:
    """Reads rules. Asking costs one small query while they stay as they are."""

    _last: Rules | None = None

    async def __call__(self, connection: Reading) -> Rules:
        """The rules in force, as the connection's transaction sees them."""
        generation = await policies.read_generation(connection)
        if self._last is None or self._last.generation != generation:
            self._last = await read_rules(connection, generation)
        return self._last


async def read_rules(connection: Reading, generation: int) -> Rules:
    """Reads the rules in force."""
    active = {(row["kind"], row["name"]): _active(row) for row in await policies.active_policies(connection)}
    fitted = await parameters.newest(connection)
    return make_rules(generation, active, fitted["version"], orjson.loads(fitted["document"]))


def make_rules(
    generation: int,
    active: Mapping[tuple[str, str], ActivePolicy],
    parameter_version: int,
    fitted: Mapping[str, Any],
) -> Rules:
    """Rules of policies by kind and name, and of what was fitted (`parameters` and `baskets`; empty: nothing was)."""
    value, tier, trigger = (active.get((kind, "default"), ActivePolicy()) for kind in ("value", "tier", "trigger"))
    segments = {name: policy for (kind, name), policy in active.items() if kind == "segment" and policy.document}
    policy = ValuePolicy.model_validate(value.document)
    segment_policies = {name: SegmentPolicy.model_validate(one.document) for name, one in segments.items()}
    return Rules(
        generation=generation,
        versions=Versions(
            value.version,
            tier.version,
            trigger.version,
            parameter_version,
            {name: one.version for name, one in segments.items()},
        ),
        value=policy,
        tier=TierPolicy.model_validate(tier.document),
        trigger=TriggerPolicy.model_validate(trigger.document),
        segments=compile_segments(segment_policies),
        parameters=_parameters(policy, fitted),
        baskets={name: PeerBaskets(**one) for name, one in fitted.get("baskets", {}).items()},
        rules_since=trigger.activated_at,
        segment_policies=segment_policies,
    )


def _parameters(policy: ValuePolicy, fitted: Mapping[str, Any]) -> FittedParameters:
    """What was fitted; what ships where nothing was, or by a release with another model, until the next refit."""
    found = FittedParameters.from_json(fitted["parameters"]) if "parameters" in fitted else None
    return found or prior_parameters(policy.forecast, policy.model)


def _active(row: Row) -> ActivePolicy:
    document = {} if row["document"] is None else orjson.loads(row["document"])
    return ActivePolicy(row["version"], document, row["activated_at"])
