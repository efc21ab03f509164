"""HTTP of segments: what there are, and who is in them."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path
from pydantic import BaseModel

from rapport_scoring import store
from rapport_scoring.rules_in_force import RulesInForce
from rapport_shared.callers import Caller
from rapport_shared.database import Database
from rapport_shared.errors import not_found
from rapport_shared.web.pages import Limit, PageCursor
from rapport_shared.web.routing import scoped

Reader = Annotated[Caller, scoped("segments:read")]
Name = Annotated[str, Path(pattern="^[a-z][a-z0-9_-]{0,62}$", description="The segment's name.")]


class Segment(BaseModel):
    """A segment in force: the version of its policy, and how many customers are in it now.

    `members` counts everybody, and is null for a caller of a unit.
    """

    name: str
    description: str
    version: int
    members: int | None


class SegmentList(BaseModel):
    """All segments in force, by name."""

    segments: list[Segment]


class Member(BaseModel):
    """A customer in a segment, and since when."""

    customer_id: UUID
    since: datetime


class MemberPage(BaseModel):
    """A page of a segment's members, in the order of their ids; `count` is of all, null for a caller of a unit."""

    segment: str
    count: int | None
    members: list[Member]
    next_cursor: str | None


def segments(database: Database, rules: RulesInForce) -> APIRouter:
    """The routes of segments. Their policies are made at `/v1/policies/segment/{name}`."""
    routes = APIRouter(prefix="/v1/segments", tags=["segments"])

    @routes.get("")
    async def every(caller: Reader) -> SegmentList:
        """The segments in force, each with how many are in it."""
        present, sizes = await rules(database), await _sizes(database, caller)
        found = [
            Segment(
                name=name, description=present.segment_policies[name].description, version=version, members=sizes(name)
            )
            for name, version in sorted(present.versions.segments.items())
        ]
        return SegmentList(segments=found)

    @routes.get("/{name}/members")
    async def members(name: Name, caller: Reader, cursor: PageCursor = None, limit: Limit = 50) -> MemberPage:
        """Who is in a segment."""
        if name not in (await rules(database)).versions.segments:
            raise not_found("segment")
        page = await store.BY_ID.page(
            cursor, limit, partial(store.members, database, name), lambda row: (row["customer_id"],)
        )
        shown = [Member(customer_id=row["customer_id"], since=row["since"]) for row in page.items]
        count = (await _sizes(database, caller))(name)
        return MemberPage(segment=name, count=count, members=shown, next_cursor=page.next_cursor)

    return routes


async def _sizes(database: Database, caller: Caller) -> Callable[[str], int | None]:
    """How many members a segment has: what everybody is counted in is not for a caller of a unit."""
    if caller.unit:
        return lambda _: None
    sizes = await store.segment_sizes(database)
    return lambda name: sizes.get(name, 0)
