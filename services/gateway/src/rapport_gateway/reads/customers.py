"""Reads of the unified view."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from rapport_gateway.projection.live import LiveView
from rapport_gateway.projection.store import memberships, partials, views
from rapport_gateway.projection.store.views import StoredView
from rapport_gateway.reads import quarantine, reactions
from rapport_gateway.view import identity
from rapport_gateway.view.explanation import explain
from rapport_gateway.view.sections import SECTIONS
from rapport_shared.contracts.touchpoints import DOCUMENT_KINDS
from rapport_shared.database import Row
from rapport_shared.errors import NOT_IN_TIME, QUARANTINED, Problem
from rapport_shared.units import lies_in_sql

_OF_DOCUMENTS = """
SELECT EXISTS (
    SELECT FROM fact named LEFT JOIN fact ended
        ON named.type = 'interaction.retracted' AND ended.event_id = (named.data::jsonb ->> 'event_id')::uuid
    WHERE named.event_id = ANY($1) AND coalesce(ended.kind, named.kind) = ANY($2)
)
"""
"""Whether events are recordings of some kinds of touchpoints, or retractions of such."""


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
            f'{{"customer_id":"{view.customer_id}","version":{view.version},"as_of":"{view.as_of.isoformat()}",'
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
        found: bool = await self.live.fetch_value(_OF_DOCUMENTS, list(event_ids), sorted(DOCUMENT_KINDS))
        return found

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
        """Waits until the profiles that recorded touchpoints led to are in the view; answers whether they are."""
        deadline = self.clock().timestamp() + wait_ms / 1000
        while await reactions.are_missing(self.live, event_ids):
            left = deadline - self.clock().timestamp()
            if left <= 0:
                return False
            await self.hub.moved(min(left, 0.5))
        return True

    async def _missing(self, event_ids: Sequence[UUID]) -> set[UUID]:
        rows = await self.live.fetch("SELECT event_id FROM fact WHERE event_id = ANY($1)", list(event_ids))
        missing = set(event_ids) - {row["event_id"] for row in rows}
        if missing:
            rows = await self.live.fetch(
                "SELECT touchpoint_id, type, subject, data FROM fact WHERE touchpoint_id = ANY($1)", list(missing)
            )
            reason = quarantine.reason_to_give_up(rows, event_ids)
            if reason is not None:
                raise Problem(QUARANTINED, f"The touchpoint was quarantined: {reason}.", reason=reason)
        return missing

    async def touchpoint_status(self, touchpoint_id: UUID) -> dict[str, Any] | None:
        """What became of a touchpoint, as far as the view knows; None for one it has not seen."""
        rows = await self.live.fetch(
            "SELECT event_id, type, subject, profile_id, interaction_id, recorded_at, data, "
            "EXISTS (SELECT 1 FROM retraction r WHERE r.event_id = fact.event_id) AS retracted "
            "FROM fact WHERE event_id = $1 OR touchpoint_id = $1 ORDER BY recorded_at DESC",
            touchpoint_id,
        )
        conflicts = await self.live.fetch(
            "SELECT recorded_at FROM fact WHERE type = 'interaction.quarantined' "
            f"AND data::jsonb ->> 'conflict_of' = $1::text AND {quarantine.UNSETTLED} ORDER BY recorded_at",
            str(touchpoint_id),
        )
        recordings = [row for row in rows if row["type"] == "interaction.recorded"]
        if recordings:
            return await self._recorded(recordings, [row["recorded_at"] for row in conflicts])
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
            "conflicts": [{"at": at.isoformat()} for at in conflicts],
        }

    async def lookup_keys(self, keys: Sequence[str], records: Sequence[UUID] = ()) -> list[dict[str, Any]]:
        """Customers by identifier keys: those that touches go to, then those that hold one; first of all those of
        source records, by the profiles that they are."""
        rows = await self.live.fetch(
            "SELECT DISTINCT ON (customer_id) customer_id, reason, rank FROM ("
            "  SELECT customer_id, 'record' AS reason, 0 AS rank FROM membership WHERE profile_id = ANY($2) UNION ALL "
            "  SELECT m.customer_id, 'routed', 1 FROM route r JOIN membership m USING (profile_id)"
            "  WHERE r.identifier_key = ANY($1) UNION ALL "
            "  SELECT m.customer_id, 'holds', 2 FROM held_identifier h JOIN membership m USING (profile_id)"
            "  WHERE h.identifier_key = ANY($1)) found ORDER BY customer_id, rank",
            list(keys),
            list(records),
        )
        return await self._matches([(row["customer_id"], row["reason"], row["rank"]) for row in rows])

    async def lookup_attribute(self, key: str, limit: int) -> list[dict[str, Any]]:
        """Customers that a source says have a value of an own field, up to a number."""
        rows = await self.live.fetch(
            "SELECT DISTINCT customer_id FROM (SELECT profile_id FROM held_identifier WHERE identifier_key = $1 "
            "LIMIT $2) holders JOIN membership USING (profile_id)",
            key,
            limit,
        )
        return await self._matches([(row["customer_id"], "attribute", 0) for row in rows])

    async def lookup_assets(self, keys: Sequence[str]) -> list[dict[str, Any]]:
        """Customers that hold an asset which one of the keys finds."""
        rows = await self.live.fetch(
            "SELECT DISTINCT m.customer_id FROM asset_key a JOIN membership m ON m.profile_id = a.holder "
            "WHERE a.asset_key = ANY($1)",
            list(keys),
        )
        return await self._matches([(row["customer_id"], "holds the asset", 0) for row in rows])

    async def lookup_text(self, text: str, unit: str, limit: int) -> list[dict[str, Any]]:
        """Customers whose name contains `text`, the most similar first: of `unit` or of none, all where it is empty."""
        pattern = text.casefold().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        rows = await self.live.fetch(
            "SELECT customer_id FROM customer_view WHERE search_text LIKE '%' || $1 || '%' AND moved_to IS NULL "
            "AND ($4 = '' OR units = '{}' OR EXISTS ("
            f"  SELECT FROM unnest(units) AS own (unit) WHERE {lies_in_sql('unit', '$4')})) "
            "ORDER BY public.similarity(search_text, $2) DESC, customer_id LIMIT $3",
            pattern,
            text.casefold(),
            limit,
            unit,
        )
        return await self._matches([(row["customer_id"], "name", rank) for rank, row in enumerate(rows)])

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

    async def whom(
        self, identifiers: Sequence[tuple[str, str]], source_profile: UUID | None, named: UUID | None
    ) -> UUID | None:
        """The customer that a touchpoint would be recorded at now; None when it would make a new customer.

        `named` is the profile that the deciding identifier names by itself: an external one is a source record.
        """
        rows = await self.live.fetch(
            "SELECT r.identifier_key, m.customer_id FROM route r JOIN membership m USING (profile_id) "
            "WHERE r.identifier_key = ANY($1)",
            [key for _, key in identifiers],
        )
        customers: dict[str, UUID] = {row["identifier_key"]: row["customer_id"] for row in rows}
        routed = next((customers[key] for _, key in identifiers if key in customers), None)
        record = source_profile or named
        if record is None or (routed is not None and source_profile is None):
            return routed
        async with self.live.connection() as connection:
            return (await memberships.customers_of(connection, [record])).get(record)

    async def blocked(self, keys: Sequence[str]) -> set[str]:
        """Those of `keys` by which touches go to nobody, for the matching policy blocks the value."""
        rows = await self.live.fetch(
            "SELECT identifier_key FROM route WHERE identifier_key = ANY($1) AND target = 'blocked'", list(keys)
        )
        return {row["identifier_key"] for row in rows}
