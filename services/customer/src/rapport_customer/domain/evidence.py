"""The proof that two records with a shared identifier are, or are not, the same party."""

from collections.abc import Collection
from typing import Literal

from rapport_customer.domain.matching import Field, features_of
from rapport_customer.domain.matching.levels import FIELDS, LEVELS
from rapport_customer.domain.matching.patterns import pattern_of
from rapport_customer.domain.policy import IdentifierRule
from rapport_customer.domain.routing import Proof
from rapport_shared.contracts.customer import ProfileState

Agreement = Literal["agrees", "differs", "unknown"]
"""How two records agree in one respect."""

_NAMES = (Field.FAMILY, Field.GIVEN, Field.NAME)


def agreements(one: ProfileState, other: ProfileState) -> tuple[Agreement, Agreement]:
    """How two records agree in the name, and in the birth date."""
    pattern = pattern_of(features_of(one), features_of(other))
    levels = {field: LEVELS[level] for field, level in zip(FIELDS, pattern, strict=True)}
    return _agreement({levels[field] for field in _NAMES}), _agreement({levels[Field.BIRTH_DATE]})


def proof(rule: IdentifierRule, claimed: bool, held: bool, name: Agreement, birth_date: Agreement) -> Proof:
    """What a shared identifier proves about two registered customers.

    `claimed` and `held` say whether the claimant and the present holder verified the identifier. If both did, and
    neither name nor birth date differs, they are the same party. If the claimant did, and name and birth date both
    differ, the identifier has changed hands, like a recycled number. In all other cases a person decides.
    """
    if not rule.proves:
        return Proof.NONE
    claims, holds = (verified or rule.unverified_counts for verified in (claimed, held))
    if claimed and name == "differs" and birth_date == "differs":
        return Proof.OTHER
    if claims and holds and "differs" not in (name, birth_date):
        return Proof.SAME
    return Proof.NONE


def _agreement(levels: Collection[str]) -> Agreement:
    if "disagree" in levels:
        return "differs"
    return "unknown" if set(levels) <= {"missing"} else "agrees"
