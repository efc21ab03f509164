"""How often an opportunity is won: a Beta distribution over what was won and lost before."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WinRate:
    """Beta(wins, losses), both > 0: the prior's pseudo-counts plus what was counted. Raises ValueError otherwise."""

    wins: float
    losses: float

    def __post_init__(self) -> None:
        if not (0 < self.wins < math.inf and 0 < self.losses < math.inf):
            raise ValueError(f"a win rate needs wins and losses greater than 0, and is {self}")

    @property
    def mean(self) -> float:
        """The mean of the distribution, the rate to reckon with."""
        return self.wins / (self.wins + self.losses)

    def after(self, won: int, lost: int) -> WinRate:
        """The posterior after so many opportunities were won and lost."""
        if won < 0 or lost < 0:
            raise ValueError(f"nobody won {won} and lost {lost} opportunities")
        return WinRate(self.wins + won, self.losses + lost)
