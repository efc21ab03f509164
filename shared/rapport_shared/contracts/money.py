"""Money as events carry it."""

from typing import Annotated

from pydantic import Field, StringConstraints

from rapport_shared.contracts.model import Contract

CurrencyCode = Annotated[str, StringConstraints(min_length=3, max_length=3)]


class Amount(Contract):
    """A sum in integer minor units of its currency; may be negative."""

    amount: Annotated[int, Field(strict=True)]
    currency: CurrencyCode
