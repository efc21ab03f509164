"""One transaction of a run's writer: what it needs is read once, changed in memory, and written at the end."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from uuid import UUID

from rapport_gateway.projection.cache import Cache
from rapport_gateway.projection.store import customers, partials
from rapport_gateway.projection.store.customers import Parts
from rapport_gateway.projection.store.views import StoredView
from rapport_gateway.view import listing
from rapport_gateway.view.facts import State
from rapport_gateway.view.sections import LISTED, SHOWING, Place
from rapport_shared.database import Connection

Dirty = defaultdict[UUID, set[str]]
"""The sections of each customer that must be rendered again. A customer without a row is rendered whole."""


@dataclass(slots=True)
class Batch:
    """What a turn of the run has read and changed. `seq` is the last change of the run before it.

    `rows` are the rendered rows of customers that changed, each with the sections that did; `identified` are the
    customers whose identity was rendered, and `linked` says whether relations lead to or from one of them.
    """

    connection: Connection
    cache: Cache
    run: int
    turn: int
    seq: int
    dirty: Dirty = field(default_factory=lambda: defaultdict(set))
    identified: set[UUID] = field(default_factory=set)
    linked: bool = False
    rows: dict[UUID, tuple[StoredView, dict[str, str]]] = field(default_factory=dict)
    _items: dict[Place, State | None] = field(default_factory=dict)
    _changed: dict[Place, State | None] = field(default_factory=dict)
    _before: dict[Place, State | None] = field(default_factory=dict)
    _parts: set[UUID] = field(default_factory=set)
    _begun: set[UUID] = field(default_factory=set)
    _listed: set[UUID] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.cache.begin(self.turn)

    async def need(self, profile_ids: Iterable[UUID], customer_ids: Iterable[UUID] = ()) -> None:
        """Reads profiles with their customers, and the members of customers, as far as they are not known yet."""
        missing = self.cache.missing(profile_ids, customer_ids)
        if missing:
            self.cache.take(missing, await customers.load(self.connection, missing))

    async def need_items(self, places: Iterable[Place]) -> None:
        """Reads the items of lists at `places`."""
        missing = {place for place in places if place.item != listing.TOTALS and place not in self._items}
        if missing:
            self._listed.update(place.profile_id for place in missing)
            self._items |= dict.fromkeys(missing)
            self._items |= await partials.load(self.connection, missing)

    def start(self, profile_ids: Iterable[UUID]) -> None:
        """Profiles that the run did not know become customers of their own."""
        begun = self.cache.start(profile_ids)
        self._begun.update(begun)
        self._parts.update(begun)

    def move(self, profile_id: UUID, customer_id: UUID, mapping_seq: int) -> UUID | None:
        """Moves a profile to a customer, unless a later move is known; answers the customer it came from."""
        former = self.cache.move(profile_id, customer_id, mapping_seq)
        if former is not None:
            self._parts.add(profile_id)
        return former

    def customer_of(self, profile_id: UUID) -> UUID:
        """The customer that a profile is part of."""
        return self.cache.profiles[profile_id].customer_id

    def members(self, customer_id: UUID) -> list[UUID]:
        """The profiles of a customer, in order; none of one that was merged away."""
        members = self.cache.members[customer_id]
        return sorted(members) if len(members) > 1 else list(members)

    def state(self, place: Place) -> State | None:
        """The partial at a place that was read."""
        if place.item == listing.TOTALS:
            return self.cache.profiles[place.profile_id].partials.get(place.section)
        return self._items[place]

    def set(self, place: Place, state: State | None) -> None:
        """Changes a partial, with the totals of its profile where it is an item of a list; None removes it."""
        before = self.state(place)
        if state == before:
            return
        if place.item != listing.TOTALS:
            self._items[place] = state
            self._tally(place, before, state)
        elif state is None:
            self.cache.profiles[place.profile_id].partials.pop(place.section, None)
        else:
            self.cache.profiles[place.profile_id].partials[place.section] = state
        self._before.setdefault(place, before)
        self._changed[place] = state
        self.dirty[self.customer_of(place.profile_id)] |= SHOWING[place.section]

    def _tally(self, place: Place, before: State | None, after: State | None) -> None:
        tally = LISTED[place.section].tally
        added, taken = (tally(state) if state is not None else {} for state in (after, before))
        if added != taken:
            totals = Place(place.profile_id, place.section, listing.TOTALS)
            self.set(totals, listing.changed_totals(self.state(totals), taken, added))

    def changed(self, section: str) -> dict[Place, State]:
        """The partials of a section that were changed."""
        return {
            place: state for place, state in self._changed.items() if place.section == section and state is not None
        }

    def before(self, place: Place) -> State | None:
        """A partial that was changed, as it was before."""
        return self._before[place]

    async def write(self) -> None:
        """Writes memberships and partials that were changed, so that statements find them."""
        parts = self.take_parts()
        if parts.memberships or parts.partials:
            await customers.save_parts(self.connection, parts)

    def take_parts(self) -> Parts:
        """The memberships and partials that were changed and are not written."""
        profiles = self.cache.profiles
        memberships = [(one, profiles[one].customer_id, profiles[one].mapping_seq) for one in self._parts]
        parts = Parts(memberships, dict(self._changed))
        self._parts.clear()
        self._changed.clear()
        return parts

    def partials_of(self, customer_id: UUID, section: str) -> dict[tuple[UUID, str], State]:
        """The partials without items of a section of a customer."""
        profiles = self.cache.profiles
        return {
            (profile_id, ""): profiles[profile_id].partials[section]
            for profile_id in self.cache.members[customer_id]
            if section in profiles[profile_id].partials
        }

    def may_have_items(self, profile_id: UUID) -> bool:
        """Whether a profile can have items of lists: one that the run did not know has those of this batch alone."""
        return profile_id not in self._begun or profile_id in self._listed

    async def lists_of(self, asked: Collection[tuple[UUID, str]]) -> dict[Place, State]:
        """The first items of lists of profiles, after what was written."""
        return await partials.first(self.connection, asked) if asked else {}
