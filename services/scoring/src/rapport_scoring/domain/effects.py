"""Decides whether somebody should act on a new reason."""

from collections.abc import Set
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Effects:
    """A new reason has an effect if effects are `allowed` and the reason is not in `earlier`.

    `earlier` contains the reasons that the customer already had before the effect horizon, according to the present
    facts and rules. A reason is `trigger:growth`, `segment:large` or `stage:lapsed`.
    """

    allowed: bool
    earlier: Set[str] = frozenset()

    def of(self, reason: str) -> bool:
        """Whether somebody should act on a new reason."""
        return self.allowed and reason not in self.earlier


NO_EFFECTS = Effects(False)
