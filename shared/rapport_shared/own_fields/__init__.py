"""Own fields: what a deployment declares beyond the contracts, and the one check of it for every door."""

from rapport_shared.own_fields.declarations import FieldsPolicy, KindField, Labels, OwnField, OwnKind
from rapport_shared.own_fields.refusal import refuse
from rapport_shared.own_fields.rules import UNDECLARED, Checks, OwnRules, read_fields
from rapport_shared.own_fields.values import comparable

__all__ = [
    "UNDECLARED",
    "Checks",
    "FieldsPolicy",
    "KindField",
    "Labels",
    "OwnField",
    "OwnKind",
    "OwnRules",
    "comparable",
    "read_fields",
    "refuse",
]
