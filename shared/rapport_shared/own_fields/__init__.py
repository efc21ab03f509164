"""Own fields: what a deployment declares beyond the contracts, and the one check of it for every door."""

from rapport_shared.own_fields.declarations import FieldsPolicy, KindField, Labels, OwnField, OwnKind
from rapport_shared.own_fields.refusal import refuse
from rapport_shared.own_fields.rules import UNDECLARED, Checks, OwnRules, read_fields
from rapport_shared.own_fields.values import lookup_key, value_fault

__all__ = [
    "UNDECLARED",
    "Checks",
    "FieldsPolicy",
    "KindField",
    "Labels",
    "OwnField",
    "OwnKind",
    "OwnRules",
    "lookup_key",
    "read_fields",
    "refuse",
    "value_fault",
]
