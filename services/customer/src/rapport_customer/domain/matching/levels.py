"""The compared fields, and the levels of agreement of two values."""

from enum import StrEnum
from typing import Final, TypeAlias

MISSING, DISAGREE, CLOSE, VERY_CLOSE, EXACT = range(5)
"""How far two values agree. Missing: one of the two is unknown, which is evidence neither for nor against."""

LEVELS: Final = ("missing", "disagree", "close", "very_close", "exact")

Pattern: TypeAlias = tuple[int, ...]
"""The level of each field, in the order of `Field`."""


class Field(StrEnum):
    """What is compared. Persons have a given and a family name, companies and households a name."""

    FAMILY = "family"
    GIVEN = "given"
    NAME = "name"
    BIRTH_DATE = "birth_date"
    STREET = "street"
    NUMBER = "number"
    DISTRICT = "district"
    CITY = "city"
    POSTCODE = "postcode"
    REGION = "region"
    PHONE = "phone"
    EMAIL = "email"
    ACCOUNT = "account"


FIELDS: Final = tuple(Field)
FAMILY, GIVEN, NAME, BIRTH, STREET, NUMBER, DISTRICT, CITY, POSTCODE, REGION, PHONE, EMAIL, ACCOUNT = range(len(FIELDS))
