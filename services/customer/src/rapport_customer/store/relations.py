"""The SQL of relations between profiles, to find chains that lead back to their start."""

from collections.abc import Iterable
from uuid import UUID

from rapport_customer.domain.relations import target
from rapport_shared.contracts.customer import RelationState
from rapport_shared.database import Connection


async def save_relations(connection: Connection, profile_id: UUID, relations: Iterable[RelationState]) -> None:
    """Replaces a profile's relations."""
    places = sorted({target(relation) for relation in relations})
    await connection.execute("DELETE FROM profile_relation WHERE profile_id = $1", profile_id)
    if places:
        await connection.execute(
            "INSERT INTO profile_relation SELECT $1, * FROM unnest($2::text[], $3::uuid[])",
            profile_id,
            [type_ for type_, _ in places],
            [to for _, to in places],
        )


async def leads_to(connection: Connection, type_: str, from_customer: UUID, to_customer: UUID) -> bool:
    """Whether a chain of relations of a type leads from one customer to another."""
    found: bool | None = await connection.fetchval(
        "WITH RECURSIVE reached (customer_id) AS ("
        "  SELECT $2::uuid UNION SELECT coalesce(theirs.customer_id, r.to_profile) FROM reached "
        "  JOIN membership ours ON ours.customer_id = reached.customer_id "
        "  JOIN profile_relation r ON r.profile_id = ours.profile_id AND r.type = $1 "
        "  LEFT JOIN membership theirs ON theirs.profile_id = r.to_profile"
        ") SELECT true FROM reached WHERE customer_id = $3 LIMIT 1",
        type_,
        from_customer,
        to_customer,
    )
    return bool(found)
