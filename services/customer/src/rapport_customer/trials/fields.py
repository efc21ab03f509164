"""Trial of a `fields` policy: the recorded values that it would refuse."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import orjson

from rapport_customer.domain.own_fields import asset_attributes, profile_attributes
from rapport_customer.store import own_fields
from rapport_shared.contracts.customer import AssetState, ProfileState
from rapport_shared.database import Database
from rapport_shared.own_fields import Checks, FieldsPolicy, OwnRules

MOST: Final = 20_000
PAGE: Final = 500
MOST_NAMED: Final = 50

Stated = tuple[str, Any]
"""A field and a recorded value of it."""


@dataclass(frozen=True, slots=True)
class FieldsTrial:
    """Checks recorded values of profiles and assets against a policy; changes nothing."""

    database: Database

    async def __call__(self, policy: FieldsPolicy) -> dict[str, Any]:
        """How many recorded values the policy would refuse, by field and reason. No value is named.

        `complete` is false if only a sample was examined. Other requests are served meanwhile.
        """
        rules = OwnRules(policy)
        profiles = await own_fields.sample(self.database, "profile", MOST)
        assets = await own_fields.sample(self.database, "asset", MOST)
        return {
            "profiles": await _tried(rules.profiles, profiles, _of_profile),
            "assets": await _tried(rules.assets, assets, _of_asset),
        }


async def _tried(checks: Checks, registers: list[str], read: Any) -> dict[str, Any]:
    values, refused = 0, Counter[tuple[str, str]]()
    for start in range(0, len(registers), PAGE):
        for register in registers[start : start + PAGE]:
            stated = list(read(register))
            values += len(stated)
            refused.update(_refused(checks, stated))
        await asyncio.sleep(0)
    return {
        "examined": len(registers),
        "complete": len(registers) < MOST,
        "values": values,
        "refused": sum(refused.values()),
        "reasons": [
            {"field": name, "code": code, "values": count} for (name, code), count in refused.most_common(MOST_NAMED)
        ],
    }


def _refused(checks: Checks, stated: Iterable[Stated]) -> Iterator[tuple[str, str]]:
    for name, value in stated:
        for found in checks.value_faults({name: value}):
            yield name, found.code


def _of_profile(register: str) -> Iterator[Stated]:
    return profile_attributes(ProfileState.model_validate(orjson.loads(register)))


def _of_asset(register: str) -> Iterator[Stated]:
    return asset_attributes(AssetState.model_validate(orjson.loads(register)))
