"""Reads of the unified view."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from rapport_gateway.projection.live import LiveView
from rapport_gateway.projection.store import lookup, memberships, partials, touchpoints, views
from rapport_gateway.projection.store.views import StoredView
from rapport_gateway.reads import quarantine, reactions
from rapport_gateway.view import identity
from rapport_gateway.view.explanation import explain
from rapport_gateway.view.sections import SECTIONS
from rapport_shared.contracts.envelope import instant_text
from rapport_shared.database import Row
from rapport_shared.errors import NOT_IN_TIME, QUARANTINED, Problem


class Views(LiveView):
    """Reads of the live run."""

    def document(
        self,
        view: StoredView,
        sections: Collection[str],
        *,
        withheld: Sequence[str] = (),
        pending: Sequence[str] = (),
    ) -> bytes:
        """The unified view as JSON, sections passed through as they are stored.

        `withheld` names the sections that the caller may not see, `pending` those that are not up to date.
        """
        head = (
            f'{{"customer_id":"{view.customer_id}","version":{view.version},"as_of":"{instant_text(view.as_of)}",'
            f'"lag_ms":{orjson.dumps(self.lag_ms()).decode()}'
            + (f',"withheld":{orjson.dumps(withheld).decode()}' if withheld else "")
        )
        if pending:
            head += f',"pending":{orjson.dumps(pending).decode()}'
        parts = [f',"{name}":{view.sections[name]}' for name in SECTIONS if name in sections and name in view.sections]
        return (head + "".join(parts) + "}").encode()

    async def explain(self, customer_id: UUID, field: str) -> dict[str, Any] | None:
        """Why a field of the customer's identity is what it is; None for a field that has no explanation."""
        async with self.live.connection() as connection:
            profiles = (await memberships.members(connection, [customer_id]))[customer_id]
            kept = await partials.every(connection, [(profile_id, identity.NAME) for profile_id in profiles])
        return explain(field, profiles, {(place.profile_id, place.item): state for place, state in kept.items()})

    async def change_figures(self, event_ids: Sequence[UUID]) -> bool:
        """Whether one of the events records or retracts a commerce document, whose figures scoring states."""
        return await touchpoints.are_of_documents(self.live, event_ids)

    async def until_seen(self, event_ids: Sequence[UUID], wait_ms: int) -> None:
        """Waits until the events are in the view. Raises a 422 for a quarantined one, a 409 when the time is over."""
        deadline = self.clock().timestamp() + wait_ms / 1000
        while True:
            missing = await self._missing(event_ids)
            if not missing:
                return
            left = deadline - self.clock().timestamp()
            if left <= 0:
                raise Problem(NOT_IN_TIME, "The view has not reached the event yet.", lag_ms=self.lag_ms())
            await self.hub.moved(min(left, 0.5))

    async def until_answered(self, event_ids: Sequence[UUID], wait_ms: int) -> bool:
        """Waits until the profiles of recorded touchpoints are in the view. Returns whether they are."""
        deadline = self.clock().timestamp() + wait_ms / 1000
        while await reactions.are_missing(self.live, event_ids):
            left = deadline - self.clock().timestamp()
            if left <= 0:
                return False
            await self.hub.moved(min(left, 0.5))
        return True

    async def _missing(self, event_ids: Sequence[UUID]) -> set[UUID]:
        missing = set(event_ids) - await touchpoints.known_events(self.live, event_ids)
        if missing:
            rows = await touchpoints.naming(self.live, missing)
            reason = quarantine.reason_to_give_up(rows, event_ids)
            if reason is not None:
                raise Problem(QUARANTINED, f"The touchpoint was quarantined: {reason}.", reason=reason)
        return missing

    async def touchpoint_status(self, touchpoint_id: UUID) -> dict[str, Any] | None:
        """The outcome of a touchpoint according to the view; None for a touchpoint that the view has not seen."""
        rows = await touchpoints.history(self.live, touchpoint_id)
        recordings = [row for row in rows if row["type"] == "interaction.recorded"]
        if recordings:
            return await self._recorded(recordings, await touchpoints.conflicts(self.live, touchpoint_id))
        return quarantine.status(rows)

    async def _recorded(self, recordings: Sequence[Row], conflicts: Sequence[datetime]) -> dict[str, Any]:
        standing = next((row for row in recordings if not row["retracted"]), None)
        if standing is None:
            return {"state": "retracted"}
        if standing["profile_id"] is None:
            return {"state": "anonymous", "interaction_id": str(standing["interaction_id"])}
        async with self.live.connection() as connection:
            customers = await memberships.customers_of(connection, [standing["profile_id"]])
        return {
            "state": "recorded",
            "interaction_id": str(standing["interaction_id"]),
            "customer_id": str(customers[standing["profile_id"]]),
            "conflicts": [{"at": instant_text(at)} for at in conflicts],
        }

    async def lookup_keys(self, keys: Sequence[str], records: Sequence[UUID] = ()) -> list[dict[str, Any]]:
        """Customers by identifier keys: those that touches go to, then those that hold one; first of all those of
        source records, by the profiles that they are."""
        rows = await lookup.by_keys(self.live, keys, records)
        return await self._matches([(row["customer_id"], row["reason"], row["rank"]) for row in rows])

    async def lookup_attribute(self, key: str, limit: int) -> list[dict[str, Any]]:
        """Customers that a source says have a value of an own field, up to a number."""
        found = await lookup.by_attribute(self.live, key, limit)
        return await self._matches([(customer_id, "attribute", 0) for customer_id in found])

    async def lookup_assets(self, keys: Sequence[str]) -> list[dict[str, Any]]:
        """Customers that hold an asset which one of the keys finds."""
        found = await lookup.by_assets(self.live, keys)
        return await self._matches([(customer_id, "holds the asset", 0) for customer_id in found])

    async def lookup_text(self, text: str, unit: str, limit: int) -> list[dict[str, Any]]:
        """Customers whose name contains `text`, the most similar first: of `unit` or of none, all where it is empty."""
        found = await lookup.by_text(self.live, text, unit, limit)
        return await self._matches([(customer_id, "name", rank) for rank, customer_id in enumerate(found)])

    async def _matches(self, found: Sequence[tuple[UUID, str, int]]) -> list[dict[str, Any]]:
        async with self.live.connection() as connection:
            rows = await views.load(connection, [customer_id for customer_id, *_ in found])
        return [
            {
                "customer_id": str(customer_id),
                "reason": reason,
                "display_name": orjson.loads(rows[customer_id].sections["identity"])["display_name"],
            }
            for customer_id, reason, _ in sorted(found, key=lambda match: (match[2], match[0]))
            if customer_id in rows and "identity" in rows[customer_id].sections
        ]

    async def find_customer(
        self, identifiers: Sequence[tuple[str, str]], source_profile: UUID | None, named: UUID | None
    ) -> UUID | None:
        """The customer that a touchpoint would be recorded at now; None when it would make a new customer.

        `named` is the profile that the deciding identifier names by itself: an external one is a source record.
        """
        customers = await lookup.routed_customers(self.live, [key for _, key in identifiers])
        routed = next((customers[key] for _, key in identifiers if key in customers), None)
        record = source_profile or named
        if record is None or (routed is not None and source_profile is None):
            return routed
        async with self.live.connection() as connection:
            return (await memberships.customers_of(connection, [record])).get(record)

    async def blocked(self, keys: Sequence[str]) -> set[str]:
        """Those of `keys` by which touches go to nobody, for the matching policy blocks the value."""
        return await lookup.blocked_keys(self.live, keys)
