"""What the writer of a run knows of it without reading: what it has read and written lately.

A run has one writer. It counts the run's turns, and what it keeps is true for the turn after its own last one only: a
transaction that was lost or another writer makes the numbers differ, and all is forgotten.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

import orjson

from rapport_gateway.projection.store.views import StoredView, as_view
from rapport_gateway.view.facts import State
from rapport_shared.database import Row

MOST_PROFILES: Final = 2_500
"""Some 11 KiB each."""


@dataclass(slots=True)
class Profile:
    """A profile: the customer that it is part of, its partials without items, and the row under its id.

    `stored` is false for one that the run does not know yet.
    """

    customer_id: UUID
    mapping_seq: int = 0
    stored: bool = False
    partials: dict[str, State] = field(default_factory=dict)
    view: StoredView | None = None


class Cache:
    """Profiles by id, and the profiles of customers. Of a customer in `members`, every profile is known.

    `some_stale` says whether customers may be noted as stale.
    """

    def __init__(self, most: int = MOST_PROFILES) -> None:
        self._most = most
        self._turn: int | None = None
        self.some_stale = True
        self.profiles: dict[UUID, Profile] = {}
        self.members: dict[UUID, set[UUID]] = {}

    def begin(self, turn: int) -> None:
        """Begins a turn of the run: what is known is kept only if the turn before was this writer's, and committed."""
        if self._turn != turn:
            self.profiles.clear()
            self.members.clear()
            self.some_stale = True
        self._turn = None

    def end(self, turn: int) -> None:
        """Ends a turn after its last write, before its commit. Forgets the customers that were used longest ago."""
        self._turn = turn + 1
        while len(self.profiles) > self._most:
            if not self.members:
                self.profiles.clear()
                return
            customer_id = next(iter(self.members))
            for profile_id in self.members.pop(customer_id):
                del self.profiles[profile_id]

    def missing(self, profile_ids: Iterable[UUID], customer_ids: Iterable[UUID] = ()) -> set[UUID]:
        """Returns those of a turn's profiles and customers that are not cached, so the turn must read them."""
        missing = {customer_id for customer_id in customer_ids if customer_id not in self.members}
        for profile_id in profile_ids:
            profile = self.profiles.get(profile_id)
            if profile is None or profile.customer_id not in self.members:
                missing.add(profile_id)
            else:
                self.members[profile.customer_id] = self.members.pop(profile.customer_id)
        return missing

    def take(self, asked: Collection[UUID], rows: Sequence[Row]) -> None:
        """Takes in what was read for `asked`; what is known already stays, for it may have changed in this turn."""
        for row in rows:
            if row["id"] not in self.profiles:
                self.profiles[row["id"]] = _profile(row)
        customers = set(asked) | {self.profiles[profile_id].customer_id for profile_id in asked}
        found: dict[UUID, set[UUID]] = {
            customer_id: set() for customer_id in customers if customer_id not in self.members
        }
        for row in rows:
            profile = self.profiles[row["id"]]
            if profile.customer_id in found and row["part_of"] is not None:
                found[profile.customer_id].add(row["id"])
        self.members |= found

    def start(self, profile_ids: Iterable[UUID]) -> list[UUID]:
        """Profiles that the run did not know become customers of their own; answers which."""
        begun = [profile_id for profile_id in profile_ids if not self.profiles[profile_id].stored]
        for profile_id in begun:
            self.profiles[profile_id].stored = True
            self.members[profile_id].add(profile_id)
        return begun

    def move(self, profile_id: UUID, customer_id: UUID, mapping_seq: int) -> UUID | None:
        """Moves a profile to a customer, unless a later move is known; answers the customer it came from."""
        profile = self.profiles[profile_id]
        if profile.mapping_seq >= mapping_seq:
            return None
        former = profile.customer_id
        self.members[former].discard(profile_id)
        self.members[customer_id].add(profile_id)
        profile.customer_id, profile.mapping_seq = customer_id, mapping_seq
        return former


def _profile(row: Row) -> Profile:
    known = row["part_of"] is not None
    return Profile(
        customer_id=row["part_of"] if known else row["id"],
        mapping_seq=row["mapping_seq"] if known else 0,
        stored=known,
        partials={section: orjson.loads(state) for section, state in row["partials"] or ()},
        view=None if row["customer_id"] is None else as_view(row),
    )
