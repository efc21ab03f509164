"""The segments that a customer is in, as scoring last stated them. Like the score they belong to a customer id."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from rapport_gateway.view.facts import State

NAME = "segments"
SHOWN: Final = 50
"""Names are short, and whoever acts on a segment must see it: hardly any customer is in more."""


def render(customer_id: UUID, profiles: Sequence[UUID], partials: Mapping[tuple[UUID, str], State]) -> Any:
    """The names of the segments, sorted."""
    state = partials.get((customer_id, ""))
    return [] if state is None else sorted(state["score"].get("segments") or [])[:SHOWN]
