"""What a newcomer costs through the matcher, with a million profiles in the database."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Iterator, Sequence
from uuid import UUID

from rapport_customer.commands.match_newcomers import match_batch
from rapport_customer.domain.matching import Features, blocking_keys
from rapport_customer.domain.matching.features import Place
from rapport_shared.clock import system_clock
from rapport_shared.contracts.customer import FieldCandidate, ProfileState
from rapport_shared.database import Database
from rapport_shared.migrations import migrate
from tests.benchmarks.figures import Figure, rate, seconds_of
from tests.support.infrastructure import Databases

PROFILES, QUICK_PROFILES = 1_000_000, 20_000
NEWCOMERS = 2_000
AIM_SECONDS = 0.001
PAGE = 20_000

_FAMILY = (
    "wang",
    "li",
    "zhang",
    "liu",
    "chen",
    "yang",
    "zhao",
    "huang",
    "zhou",
    "wu",
    "xu",
    "sun",
    "hu",
    "zhu",
    "gao",
    "lin",
    "he",
    "guo",
    "ma",
    "luo",
)
_SOUNDS = (
    "an",
    "bei",
    "chen",
    "da",
    "fang",
    "gang",
    "hai",
    "jia",
    "kai",
    "lan",
    "ming",
    "ning",
    "peng",
    "qing",
    "rui",
    "shan",
    "tao",
    "wei",
    "xin",
    "yan",
    "ze",
)


async def measure(postgres: str, quick: bool) -> list[Figure]:
    """`newcomer`: of 2,000 newcomers, one in ten a duplicate. Its limit is the aim of a millisecond."""
    profiles = QUICK_PROFILES if quick else PROFILES
    databases = Databases(postgres)
    async with databases.fresh() as dsn:
        await asyncio.to_thread(migrate, "rapport_customer", dsn)
        async with Database(dsn, size=4, application="benchmark") as database:
            loaded = await _load(database, profiles)
            seconds = await _match(database, profiles)
    return [
        rate("matcher_base", profiles / loaded, None, "profiles/s"),
        seconds_of("matcher_newcomer", seconds / NEWCOMERS, AIM_SECONDS, "ms"),
    ]


async def _load(database: Database, profiles: int) -> float:
    """Fills the tables of the matcher as it would have, without comparing."""
    begun = time.perf_counter()
    async with database.connection() as connection:
        await connection.execute("DROP INDEX match_features_trigrams")
        for start in range(0, profiles, PAGE):
            page = [(UUID(int=n + 1), _person(n)) for n in range(start, min(start + PAGE, profiles))]
            keys = {profile_id: sorted(blocking_keys(made)) for profile_id, made in page}
            await connection.copy_records_to_table(
                "match_features",
                records=[(profile_id, made.version, made.to_json(), "", keys[profile_id]) for profile_id, made in page],
            )
            await connection.copy_records_to_table(
                "match_block", records=[(key, profile_id) for profile_id, _ in page for key in keys[profile_id]]
            )
            await connection.copy_records_to_table(
                "membership", records=[(profile_id, profile_id, 0) for profile_id, _ in page]
            )
        await connection.execute(
            "CREATE INDEX match_features_trigrams ON match_features USING gin (trigrams gin_trgm_ops)", timeout=600
        )
        await connection.execute("VACUUM (ANALYZE) match_features, match_block, membership", timeout=600)
    return time.perf_counter() - begun


async def _match(database: Database, profiles: int) -> float:
    states = list(_newcomers(profiles))
    async with database.transaction() as connection:
        await connection.executemany(
            "INSERT INTO profile (profile_id, registered, state, sequence) VALUES ($1, true, $2, 1)",
            [(state.profile_id, state.model_dump_json()) for state in states],
        )
        await connection.executemany(
            "INSERT INTO membership (profile_id, customer_id) VALUES ($1, $1)",
            [(state.profile_id,) for state in states],
        )
        await connection.execute("INSERT INTO match_queue (profile_id) SELECT profile_id FROM profile")
    matched, begun = 0, time.perf_counter()
    while matched < len(states):
        async with database.transaction() as connection:
            matched += await match_batch(connection, system_clock)
    return time.perf_counter() - begun


def _newcomers(profiles: int) -> Iterator[ProfileState]:
    """Every tenth is a person of the base, reported by another system."""
    for number in range(NEWCOMERS):
        person = _person(number * (profiles // NEWCOMERS) if number % 10 == 0 else profiles + number)
        place = person.places[0]
        fields = {
            "kind": "person",
            "name": {"family": person.family, "given": person.given},
            "birth_date": f"{person.birth_date[:4]}-{person.birth_date[4:6]}-{person.birth_date[6:]}",
            "addresses": [{"city": place.city, "street": f"{place.street} {place.number}", "postcode": place.postcode}],
        }
        at = system_clock()
        yield ProfileState(
            profile_id=UUID(int=2**64 + number),
            registered=True,
            created_at=at,
            fields={
                name: (FieldCandidate(value=value, source="shop", occurred_at=at, event_id=UUID(int=number)),)
                for name, value in fields.items()
            },
        )


def _person(number: int) -> Features:
    """The same number is the same person; names are as unevenly common as they are in life."""
    chance = random.Random(number)
    family = _FAMILY[min(int(chance.expovariate(0.2)), len(_FAMILY) - 1)]
    given = "".join(chance.choices(_SOUNDS, k=2))
    born = f"{chance.randrange(1940, 2006)}{chance.randrange(1, 13):02d}{chance.randrange(1, 29):02d}"
    return Features(
        kind="person", family=family, given=given, birth_date=born, places=(_place(chance),), phones=(_digits(chance),)
    )


def _place(chance: random.Random) -> Place:
    street = f"{_word(chance, _SOUNDS)} {_word(chance, _SOUNDS)} lu"
    return Place(
        city=_word(chance, _SOUNDS[:12]),
        street=street,
        number=str(chance.randrange(1, 400)),
        postcode=f"{chance.randrange(100_000, 400_000)}",
    )


def _word(chance: random.Random, sounds: Sequence[str]) -> str:
    return "".join(chance.choices(sounds, k=2))


def _digits(chance: random.Random) -> str:
    return f"{chance.randrange(10**8):08d}"
