"""The policies of the demo, put in force before it is loaded, and the computations that are asked for after it."""

from __future__ import annotations

from typing import Any

__all__ = ["COMPUTATIONS", "POLICIES"]

_VALUE: dict[str, Any] = {
    "rates": {
        "reporting": "CNY",
        "rates": [
            {"from_day": "2020-01-01", "currency": "USD", "rate": "7.10"},
            {"from_day": "2020-01-01", "currency": "EUR", "rate": "7.80"},
        ],
    },
    "ledger": {"handling_cost": {"CNY": 20_000, "EUR": 70, "USD": 75}, "reserve": {"current": "0.02"}},
}
_LARGE_LATE_PAYERS: dict[str, Any] = {
    "description": "Much is open, and part of it overdue",
    "when": {
        "any": [
            {
                "all": [
                    {"reading": f"indicator:exposure:{currency}", "at_least": least},
                    {"reading": f"indicator:overdue_ratio:{currency}", "more_than": 0.3},
                ]
            }
            for currency, least in (("CNY", 5_000_000), ("EUR", 600_000))
        ]
    },
}
_SILENT_REGULARS: dict[str, Any] = {
    "description": "Bought on at least four occasions in a year and a half, and nothing for ninety days",
    "when": {
        "all": [
            {"count": "purchases", "within": "78 weeks", "at_least": 4},
            {"absent": "purchases", "for": "90 days"},
        ]
    },
}
_BIG_COMPANIES: dict[str, Any] = {
    "description": "Companies that ordered for half a million yuan or more in a year",
    "when": {
        "all": [
            {"reading": "attribute:kind", "is": "company"},
            {"sum": "purchases.revenue", "within": "365 days", "at_least": 50_000_000},
        ]
    },
}
_PLAYBOOK: dict[str, Any] = {
    "plays": {
        "keep": {
            "reason": "trigger:retention",
            "kind": "follow_up",
            "subject": "挽留客户：价值下降或久未下单 (keep this customer)",
            "priority": "high",
        },
        "win-back": {"reason": "trigger:win_back", "kind": "follow_up", "subject": "赢回客户 (win this customer back)"},
        "grow": {
            "reason": "trigger:growth",
            "kind": "opportunity",
            "subject": "竞争对手占其需求大半：拟一份报价 (rivals have the greater part of what it buys: make an offer)",
        },
        "watch-credit": {
            "reason": "trigger:credit_watch",
            "kind": "task",
            "subject": "核查客户信用 (look at the credit of this customer)",
            "priority": "high",
        },
    },
    "gone": "原因已消除 (the reason is gone)",
    "again": "原因再次出现 (the reason came up again)",
}
POLICIES: dict[str, dict[str, Any]] = {
    "value/default": _VALUE,
    "playbook/default": _PLAYBOOK,
    "segment/large-late-payers": _LARGE_LATE_PAYERS,
    "segment/silent-regulars": _SILENT_REGULARS,
    "segment/big-companies": _BIG_COMPANIES,
}
"""By kind and name; the rates are round figures and no quotation."""

COMPUTATIONS = ("/v1/value/fits", "/v1/value/rankings")
