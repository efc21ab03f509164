"""What values are computed with, by version."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class ValueParameters:
    """One version of the parameters; versions are never overwritten.

    `handling_cost` is what handling an order costs where nobody reported it, in minor units by currency;
    `missing_cost_share` the share of net revenue that stands for a product cost nobody stated.
    """

    version: int
    valid_from: datetime
    handling_cost: Mapping[str, int]
    missing_cost_share: Fraction
