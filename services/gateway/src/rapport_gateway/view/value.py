"""The customer's value as scoring last stated it. A score belongs to a customer id and never moves."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from rapport_gateway.view import score
from rapport_gateway.view.facts import State, optional_shown, shown_instant

NAME = "value"
SHOWN: Final = 10
TOTALS: Final = ("lifetime", "lifetime_estimated", "last_90_days", "last_90_days_estimated")
_PLAIN: Final = ("total", "tier", "stage", "valued_on", "lines", "waiting")
_VERSIONS: Final = ("policy_version", "tier_policy_version", "trigger_policy_version", "parameter_version")
_POTENTIAL: Final = ("value", "reason", "group", "alive", "expected_orders", "order_value", "horizon_months")
_MODEL: Final = ("value", "reason", "wallet_basis", "share_of_wallet", "win_rate")
_ALARM: Final = ("alarm_id", "kind", "state", "episode", "due_at")
_TRIGGER: Final = ("name", "since", "effective", "inputs")
_STANDING: Final = ("raised", "pending")
"""Alarms that are shown, what rings first; one that was withdrawn or expired rings nobody."""


def render(customer_id: UUID, profiles: Sequence[UUID], partials: Mapping[tuple[UUID, str], State]) -> Any:
    """The values, the standing and the reasons to act; `settling` while a merge is newer than they are.

    Null for a customer without a score that waits for none. A score that is older than a figure has null for
    the figure. Lists are short, each with a total.
    """
    state = partials.get((customer_id, ""))
    settling = score.settling(customer_id, profiles, state)
    if state is None and not settling:
        return None
    stated: Mapping[str, Any] = state["score"] if state else {}
    alarms = _standing_alarms(stated.get("alarms") or ())
    triggers, suggestions = stated.get("triggers") or (), stated.get("suggestions") or ()
    return {
        "settling": settling,
        **{name: stated.get(name) for name in (*_PLAIN, *_VERSIONS)},
        "as_of": optional_shown(stated.get("as_of")),
        "contemporary": _contemporary(stated.get("contemporary") or {}),
        "potential": _some(stated.get("potential"), _POTENTIAL),
        "model": _some(stated.get("model"), _MODEL),
        "alarms": [_at(alarm, _ALARM, "due_at") for alarm in alarms[:SHOWN]],
        "alarms_total": len(alarms),
        "triggers": [_at(trigger, _TRIGGER, "since") for trigger in triggers[:SHOWN]],
        "triggers_total": len(triggers),
        "suggestions": [_some(suggestion, ("kind", "what", "name", "counts")) for suggestion in suggestions[:SHOWN]],
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


def _at(stated: Mapping[str, Any], names: Sequence[str], instant: str) -> dict[str, Any]:
    return {name: stated.get(name) for name in names} | {instant: shown_instant(stated[instant])}
