"""Who may see which customers.

Who may see one profile of a customer sees the whole customer. A caller's unit limits lists and searches, not what it
names by an id or an identifier. The exception is a unit marked `isolated`, a franchise: its customers are seen by its
own callers and by those of the whole firm, and its callers see no others. A token may be of one customer: it sees this
customer alone, whatever was merged into it or it was merged into.
"""

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from rapport_gateway.projection.live import LiveView
from rapport_gateway.projection.store.views import StoredView
from rapport_shared.callers import Caller
from rapport_shared.errors import not_found
from rapport_shared.units import lies_in

REMEMBERED_SECONDS: Final = 5.0
"""A unit is hardly ever marked, and every read asks."""


@dataclass(slots=True)
class Visibility:
    """Reads of the view that know who asks."""

    views: LiveView
    _isolated: tuple[str, ...] = ()
    _looked_at: float = field(default=float("-inf"))

    async def known(self, customer_id: UUID, caller: Caller) -> StoredView:
        """A customer's row. Raises a 404 for one that is not known, or that the caller may not know of."""
        view = await self.views.known(customer_id)
        if caller.customer_id is not None:
            await self._require_same(caller.customer_id, view)
        if caller.unit and not sees(caller.unit, view.units, await self.isolated()):
            raise not_found("customer")
        return view

    async def seen(self, customer_ids: Sequence[UUID], caller: Caller) -> set[UUID]:
        """Those of `customer_ids` that the caller may know of."""
        if caller.customer_id is not None:
            present = await self._present(caller.customer_id)
            customer_ids = [one for one in customer_ids if one == present]
        if not caller.unit:
            return set(customer_ids)
        isolated = await self.isolated()
        units = await self.views.units_of(customer_ids)
        return {customer for customer in customer_ids if sees(caller.unit, units.get(customer, ()), isolated)}

    async def listed(self, customer_ids: Sequence[UUID], caller: Caller) -> set[UUID]:
        """Those of `customer_ids` that a list shows the caller: it may know of them, and they are of its unit or none.

        Of a customer that the view has not heard of nobody knows the unit: it is not shown.
        """
        if not caller.unit:
            return set(customer_ids)
        isolated = await self.isolated()
        units = await self.views.units_of(customer_ids)
        return {
            customer
            for customer, own in units.items()
            if sees(caller.unit, own, isolated) and (not own or any(lies_in(one, caller.unit) for one in own))
        }

    async def _present(self, customer_id: UUID) -> UUID:
        """The customer that a customer is part of now."""
        view = await self.views.find(customer_id)
        return customer_id if view is None or view.moved_to is None else view.moved_to

    async def _require_same(self, customer_id: UUID, view: StoredView) -> None:
        """Raises a 404 unless a row is that of a customer, of one that it is part of now, or that is part of it."""
        if customer_id in (view.customer_id, view.moved_to) or view.customer_id == await self._present(customer_id):
            return
        raise not_found("customer")

    async def isolated(self) -> tuple[str, ...]:
        """The units that are marked `isolated`."""
        if time.monotonic() - self._looked_at > REMEMBERED_SECONDS:
            self._isolated = await self.views.isolated_units()
            self._looked_at = time.monotonic()
        return self._isolated


def sees(unit: str, units: Collection[str], isolated: Collection[str]) -> bool:
    """Whether a caller limited to `unit` may know of a customer whose profiles are of `units`."""
    if not isolated:
        return True
    return franchise(unit, isolated) in ({franchise(one, isolated) for one in units} or {None})


def franchise(unit: str, isolated: Collection[str]) -> str | None:
    """The outermost isolated unit that `unit` is or lies in; None for one that lies in none."""
    return min((root for root in isolated if lies_in(unit, root)), key=len, default=None)
