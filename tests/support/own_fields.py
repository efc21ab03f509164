"""Policies of own fields for tests, and values that a declaration takes."""

from __future__ import annotations

from datetime import date
from typing import Any

import orjson
from hypothesis import strategies as st

from rapport_shared.own_fields import OwnRules, read_fields

LABELS = {"en": "Some field", "zh": "某字段"}

GARAGE: dict[str, Any] = {
    "profiles": {
        "loyalty_level": {
            "type": "option",
            "labels": {"en": "Loyalty level", "zh": "会员等级"},
            "options": {"gold": {"en": "Gold", "zh": "金卡"}, "silver": {"en": "Silver", "zh": "银卡"}},
            "personal": False,
        },
        "club_number": {
            "type": "text",
            "labels": {"en": "Club number", "zh": "俱乐部编号"},
            "length": 20,
            "lookup": True,
        },
        "tax_number": {
            "type": "text",
            "labels": {"en": "Tax number", "zh": "税号"},
            "required_when": {"kind": "company"},
        },
    },
    "assets": {
        "warranty_until": {
            "type": "date",
            "labels": {"en": "Warranty until", "zh": "保修期至"},
            "required_when": "always",
        },
        "colour": {"type": "text", "labels": {"en": "Colour", "zh": "颜色"}},
    },
    "touchpoints": {
        "campaign_code": {
            "type": "text",
            "labels": {"en": "Campaign code", "zh": "活动代码"},
            "kinds": ["call.ended", "custom.test_drive"],
        },
        "party_size": {"type": "integer", "labels": {"en": "Party size", "zh": "人数"}, "minimum": 1, "maximum": 9},
    },
    "tickets": {
        "bay": {
            "type": "integer",
            "labels": {"en": "Bay", "zh": "工位"},
            "kinds": ["repair"],
            "required_when": "always",
        },
        "cause": {
            "type": "option",
            "labels": {"en": "Cause", "zh": "原因"},
            "options": {"wear": {"en": "Wear", "zh": "磨损"}, "accident": {"en": "Accident", "zh": "事故"}},
        },
        "insurer": {
            "type": "text",
            "labels": {"en": "Insurer", "zh": "保险公司"},
            "required_when": {"field": "cause", "equals": "accident"},
        },
    },
    "kinds": {
        "custom.test_drive": {
            "labels": {"en": "Test drive", "zh": "试驾"},
            "schema": {
                "type": "object",
                "required": ["model"],
                "additionalProperties": False,
                "properties": {
                    "model": {"type": "string", "maxLength": 50},
                    "minutes": {"type": "integer", "minimum": 1},
                    "companion": {"type": "string"},
                },
            },
            "personal": ["/companion"],
        }
    },
}
"""What a car dealer might declare."""


def rules(document: dict[str, Any]) -> OwnRules:
    """A document, ready to check with."""
    return read_fields(orjson.dumps(document))


_CODES = st.sampled_from(["a", "b", "c"])
_DAYS = st.dates(date(1900, 1, 1), date(2999, 12, 31)).map(date.isoformat)
_WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20).filter(str.strip)
SOUND: dict[str, st.SearchStrategy[Any]] = {
    "text": _WORDS,
    "integer": st.integers(-(2**53) + 1, 2**53 - 1),
    "decimal": st.decimals(-(10**9), 10**9, places=2).map(lambda number: f"{number:f}"),
    "boolean": st.booleans(),
    "date": _DAYS,
    "instant": st.tuples(_DAYS, st.times()).map(lambda at: f"{at[0]}T{at[1].isoformat()}+08:00"),
    "option": _CODES,
    "options": st.lists(_CODES, min_size=1, max_size=3, unique=True),
}
"""Values that a field of each type takes; of option and options those of `a`, `b` and `c`."""
ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**62), 2**62)
    | st.floats(allow_nan=False, allow_infinity=False)
    | _WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_WORDS, inner, max_size=3),
    max_leaves=5,
)
NAMES = st.sampled_from(["one", "two", "three", "four", "five"])


def field(type_: str, **more: Any) -> dict[str, Any]:
    """A declaration of a field of a type."""
    options = {"options": dict.fromkeys("abc", LABELS)} if type_ in ("option", "options") else {}
    return {"type": type_, "labels": LABELS, **options, **more}


@st.composite
def declarations(draw: st.DrawFn) -> dict[str, Any]:
    """Fields by name, some of them required."""
    types = draw(st.dictionaries(NAMES, st.sampled_from(sorted(SOUND)), min_size=1))
    required = draw(st.sets(st.sampled_from(sorted(types))))
    return {
        name: field(type_, **({"required_when": "always"} if name in required else {})) for name, type_ in types.items()
    }


@st.composite
def stated(draw: st.DrawFn, fields: dict[str, Any]) -> dict[str, Any]:
    """Sound values of all fields."""
    return {name: draw(SOUND[declared["type"]]) for name, declared in fields.items()}
