"""What a ledger is reckoned with where facts alone do not tell: a policy that a deployment may change."""

from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from rapport_shared.contracts.touchpoints.fields import ChannelName, Currency, Minor, Money


def _exact(value: Any) -> Any:
    if isinstance(value, float):  # 0.1 is not a tenth
        raise PydanticCustomError("exact_number", "a decimal string is expected, not a floating-point number")
    return value


Share = Annotated[Decimal, BeforeValidator(_exact), Field(ge=0, le=1, allow_inf_nan=False, max_digits=12)]
"""A part of a whole, as a decimal string."""


class ReserveShares(BaseModel):
    """The share of an open receivable that is set aside, by how many days it is overdue.

    The defaults follow what provision tables of trade receivables commonly have: about one in two hundred of what is
    not yet due is lost, and more than half of what is overdue for a quarter.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    current: Share = Field(Decimal("0.005"), description="Not yet due, or due on the very day.")
    days_1_30: Share = Field(Decimal("0.02"), description="1 to 30 days overdue.")
    days_31_60: Share = Field(Decimal("0.10"), description="31 to 60 days overdue.")
    days_61_90: Share = Field(Decimal("0.30"), description="61 to 90 days overdue.")
    over_90: Share = Field(Decimal("0.60"), description="More than 90 days overdue.")

    def of(self, days_overdue: int) -> tuple[str, Decimal]:
        """The name of the bucket of what is `days_overdue` (negative: due later), and its share."""
        if days_overdue <= 0:
            return "current", self.current
        if days_overdue <= 30:
            return "1-30", self.days_1_30
        if days_overdue <= 60:
            return "31-60", self.days_31_60
        return ("61-90", self.days_61_90) if days_overdue <= 90 else ("over-90", self.over_90)


class LedgerPolicy(BaseModel):
    """How value is reckoned. All of it is exact: integers of minor units and decimals, never floating point."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    handling_cost: dict[Currency, Minor] = Field(
        default_factory=lambda: {"CNY": 500, "EUR": 70, "USD": 75},
        description="What handling an order costs where nobody reported it, in minor units by the order's currency; "
        "in a currency that is missing here it costs nothing.",
    )
    missing_cost_share: Share = Field(
        Decimal("0.70"), description="The share of net revenue that stands for a product cost nobody stated."
    )
    capital_rate: Share = Field(Decimal("0.06"), description="What capital costs a year: interest on what is open.")
    day_count: int = Field(365, strict=True, ge=360, le=366, description="The days of a year of interest.")
    reserve: ReserveShares = Field(
        default_factory=ReserveShares, description="The share of open receivables set aside for bad debt, by age."
    )
    contact_rate: dict[ChannelName, Money] = Field(
        default_factory=dict, description="What an hour of talk, hold and wrap-up costs, by channel."
    )
    default_contact_rate: Money = Field(
        default_factory=lambda: Money(amount=6000, currency="CNY"),
        description="What an hour costs on every channel that `contact_rate` does not name.",
    )

    def rate_of(self, channel: str) -> Money:
        """What an hour on `channel` costs."""
        return self.contact_rate.get(channel, self.default_contact_rate)
