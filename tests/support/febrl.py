"""The FEBRL data sets: invented Australians, each with records that were damaged on purpose. See tests/data/febrl."""

import csv
import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from uuid import NAMESPACE_OID, uuid5

from rapport_shared.contracts.customer import FieldCandidate, ProfileState

DIRECTORY: Final = Path(__file__).parent.parent / "data" / "febrl"
FILES: Final = {1: ("dataset1",), 2: ("dataset2",), 3: ("dataset3",), 4: ("dataset4a", "dataset4b")}
REPORTED_AT: Final = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Record:
    """A record as a profile's register, and the person whom it is of."""

    person: str
    state: ProfileState


def records(number: int, people: int | None = None) -> list[Record]:
    """All records of data set `number`, 1 to 4, in the order of its files; of `people` people alone, if given."""
    rows = (row for name in FILES[number] for row in _rows(DIRECTORY / f"{name}.csv.gz"))
    return [_record(row) for row in rows if people is None or int(_person(row)) < people]


def _person(row: dict[str, str]) -> str:
    return row["rec_id"].split("-")[1]


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with gzip.open(path, "rt", newline="") as file:
        yield from csv.DictReader(file)


def _record(row: dict[str, str]) -> Record:
    address = {
        "country": "AU",
        "region": row["state"],
        "city": row["suburb"],
        "district": row["address_2"],
        "street": f"{row['street_number']} {row['address_1']}",
        "postcode": row["postcode"],
    }
    fields = {
        "kind": "person",
        "name": {"family": row["surname"], "given": row["given_name"]},
        "birth_date": row["date_of_birth"],
        "addresses": [address],
    }
    return Record(_person(row), _profile(row["rec_id"], fields))


def _profile(record: str, fields: dict[str, Any]) -> ProfileState:
    profile_id = uuid5(NAMESPACE_OID, record)
    return ProfileState(
        profile_id=profile_id,
        registered=True,
        fields={
            name: (FieldCandidate(value=value, source=f"febrl:{record}", occurred_at=REPORTED_AT, event_id=profile_id),)
            for name, value in fields.items()
            if value
        },
        created_at=REPORTED_AT,
    )
