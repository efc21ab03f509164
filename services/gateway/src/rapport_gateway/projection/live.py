"""The live run's tables as reads and checks of the gateway find them, and how fresh they are."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from rapport_gateway.projection.hub import Hub
from rapport_gateway.projection.store import registers, views
from rapport_gateway.projection.store.views import StoredView
from rapport_shared.clock import Clock
from rapport_shared.contracts.customer import UnitState
from rapport_shared.database import Database
from rapport_shared.errors import not_found, unavailable


@dataclass(frozen=True, slots=True)
class LiveView:
    """The live run."""

    hub: Hub
    clock: Clock

    @property
    def live(self) -> Database:
        """The live run's tables. Raises a 503 until it is known."""
        if self.hub.view is None:
            raise unavailable("The view")
        return self.hub.view

    @property
    def run(self) -> int:
        """The live run's number. Raises a 503 until it is known."""
        if self.hub.run is None:
            raise unavailable("The view")
        return self.hub.run.run

    def lag_ms(self) -> int | None:
        """Milliseconds since the view had last read all records. None before the first time."""
        caught_up = self.hub.run.caught_up_at if self.hub.run else None
        return None if caught_up is None else max(0, int((self.clock() - caught_up).total_seconds() * 1000))

    async def find(self, customer_id: UUID) -> StoredView | None:
        """A customer's row."""
        async with self.live.connection() as connection:
            return (await views.load(connection, [customer_id])).get(customer_id)

    async def known(self, customer_id: UUID) -> StoredView:
        """A customer's row. Raises a 404."""
        view = await self.find(customer_id)
        if view is None:
            raise not_found("customer")
        return view

    async def units_of(self, customer_ids: Sequence[UUID]) -> dict[UUID, tuple[str, ...]]:
        """The units of customers' profiles."""
        async with self.live.connection() as connection:
            return await views.units_of(connection, customer_ids)

    async def names_of(self, customer_ids: Collection[UUID]) -> dict[UUID, str]:
        """What customers are called, of those that have a name."""
        async with self.live.connection() as connection:
            return await views.names_of(connection, customer_ids)

    async def isolated_units(self) -> tuple[str, ...]:
        """The paths of the units that are marked `isolated`."""
        async with self.live.connection() as connection:
            return await registers.isolated_units(connection)

    async def unit(self, path: str) -> UnitState | None:
        """A unit, as the view knows it."""
        async with self.live.connection() as connection:
            return await registers.unit(connection, path)
