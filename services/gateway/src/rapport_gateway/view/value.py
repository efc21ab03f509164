"""The customer's value as scoring last stated it. A score belongs to a customer id and never moves."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from rapport_gateway.view.facts import Fact, State, is_later

NAME = "value"
SHOWN: Final = 10
TOTALS: Final = ("lifetime", "lifetime_estimated", "last_90_days", "last_90_days_estimated")
_LEFT_OUT: Final = frozenset({"indicators", "profiles", "facts_digest", "segments"})
_PLAIN: Final = ("total", "tier", "stage", "valued_on", "as_of", "lines", "waiting")
_VERSIONS: Final = ("policy_version", "tier_policy_version", "trigger_policy_version", "parameter_version")
_POTENTIAL: Final = ("value", "reason", "group", "alive", "expected_orders", "order_value", "horizon_months")
_MODEL: Final = ("value", "reason", "wallet_basis", "share_of_wallet", "win_rate")
_ALARM: Final = ("alarm_id", "kind", "state", "episode", "due_at")
_STANDING: Final = ("raised", "pending")
"""Alarms that are shown, what rings first; one that was withdrawn or expired rings nobody."""


def targets(fact: Fact) -> Iterable[tuple[UUID, str]]:
    """A customer's score is one partial, kept under the customer's id."""
    if fact.type == "score.updated":
        yield UUID(fact.data["customer_id"]), ""


def fold(state: State | None, fact: Fact, item: str) -> State | None:
    """The highest sequence stands."""
    if not is_later(fact, state):
        return state
    return {"sequence": fact.sequence, "score": {k: v for k, v in fact.data.items() if k not in _LEFT_OUT}}


def render(customer_id: UUID, profiles: Sequence[UUID], partials: Mapping[tuple[UUID, str], State]) -> Any:
    """The values, where the customer stands and what calls for action; null for a customer without a score.

    A score of before a figure was stated has null in its place. Lists are short, each with a total.
    """
    state = partials.get((customer_id, ""))
    if state is None:
        return None
    score = state["score"]
    alarms = _standing_alarms(score.get("alarms") or ())
    triggers, suggestions = score.get("triggers") or (), score.get("suggestions") or ()
    return {
        **{name: score.get(name) for name in (*_PLAIN, *_VERSIONS)},
        "contemporary": _contemporary(score.get("contemporary") or {}),
        "potential": _some(score.get("potential"), _POTENTIAL),
        "model": _some(score.get("model"), _MODEL),
        "alarms": [_some(alarm, _ALARM) for alarm in alarms[:SHOWN]],
        "alarms_total": len(alarms),
        "triggers": [_some(trigger, ("name", "since", "effective", "inputs")) for trigger in triggers[:SHOWN]],
        "triggers_total": len(triggers),
        "suggestions": [_some(suggestion, ("kind", "what", "counts")) for suggestion in suggestions[:SHOWN]],
        "suggestions_total": len(suggestions),
    }


def _contemporary(stated: Mapping[str, Any]) -> dict[str, Any]:
    parts = stated.get("lifetime_parts") or {}
    shown: dict[str, Any] = {name: (stated.get(name) or [])[:SHOWN] for name in TOTALS}
    return shown | {"lifetime_parts": {part: amounts[:SHOWN] for part, amounts in parts.items()}}


def _standing_alarms(alarms: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Those raised before the pending one; of each the latest due first."""
    shown = [alarm for alarm in alarms if alarm["state"] in _STANDING]
    shown.sort(key=lambda alarm: (str(alarm["due_at"]), str(alarm["alarm_id"])), reverse=True)
    return sorted(shown, key=lambda alarm: _STANDING.index(alarm["state"]))


def _some(stated: Mapping[str, Any] | None, names: Sequence[str]) -> dict[str, Any] | None:
    return None if stated is None else {name: stated.get(name) for name in names}
