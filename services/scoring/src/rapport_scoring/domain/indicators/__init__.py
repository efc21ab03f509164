"""Indicators of a customer in four classes, each with its value, its events and its day."""

from rapport_scoring.domain.indicators.attribute import attribute_indicators, share_of_wallet, wallets_in_force
from rapport_scoring.domain.indicators.contact import ContactPolicy, contact_indicators
from rapport_scoring.domain.indicators.finance import finance_indicators
from rapport_scoring.domain.indicators.indicator import NUMBERS, Indicator, IndicatorClass, Missing
from rapport_scoring.domain.indicators.transaction import transaction_indicators

__all__ = [
    "NUMBERS",
    "ContactPolicy",
    "Indicator",
    "IndicatorClass",
    "Missing",
    "attribute_indicators",
    "contact_indicators",
    "finance_indicators",
    "share_of_wallet",
    "transaction_indicators",
    "wallets_in_force",
]
