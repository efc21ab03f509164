"""Which of what is noticed anybody should act on."""

from collections.abc import Set
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Effects:
    """What is noticed now has an effect where it is `allowed`, and the reason for it came up only lately.

    `earlier` are the reasons that a customer had already before the effect horizon, or would have had under the rules
    of now, as the facts known now say: what is noticed late calls for nobody. A reason is `trigger:growth`,
    `segment:large` or `stage:lapsed`.
    """

    allowed: bool
    earlier: Set[str] = frozenset()

    def of(self, reason: str) -> bool:
        """Whether anybody should act on a reason that is new."""
        return self.allowed and reason not in self.earlier


NO_EFFECTS = Effects(False)
