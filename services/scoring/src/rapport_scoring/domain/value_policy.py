"""The `value` policy: everything that the three values are computed with."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from rapport_scoring.domain.forecast import ForecastPolicy, ModelPolicy
from rapport_scoring.domain.indicators import ContactPolicy
from rapport_scoring.domain.ledger.policy import LedgerPolicy
from rapport_scoring.domain.needs.suggestions import SuggestionPolicy
from rapport_scoring.domain.rates import Rates

PeerAttribute = Annotated[str, Field(pattern="^(kind|industry|size|region|unit)$")]


class ValuePolicy(BaseModel):
    """How values are computed. An empty document is what ships.

    Customers that have the same `peers_by` attributes are peers: they are fitted together where there are enough of
    them, and learnt from where one's wallet is not known.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    rates: Rates = Field(default_factory=Rates, description="The reporting currency, and what others are worth in it.")
    ledger: LedgerPolicy = Field(default_factory=LedgerPolicy, description="Contemporary value.")
    forecast: ForecastPolicy = Field(default_factory=ForecastPolicy, description="Potential value.")
    model: ModelPolicy = Field(default_factory=ModelPolicy, description="Model value.")
    contacts: ContactPolicy = Field(default_factory=ContactPolicy, description="How contacts and answers weigh.")
    suggestions: SuggestionPolicy = Field(default_factory=SuggestionPolicy, description="When something is suggested.")
    peers_by: Annotated[
        tuple[PeerAttribute, ...], Field(max_length=3, description="The attributes by which customers are peers.")
    ] = ("kind", "industry")
