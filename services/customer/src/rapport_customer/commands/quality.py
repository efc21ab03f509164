"""The daily record of the quality of sources."""

from rapport_customer import store
from rapport_customer.domain.quality import RECENT
from rapport_shared.clock import Clock
from rapport_shared.database import Connection
from rapport_shared.roles import Chore


def quality_of_the_day(clock: Clock) -> Chore:
    """A chore that stores today's figures every hour. The last figures of a day remain."""

    async def keep(connection: Connection) -> None:
        now = clock()
        await store.keep_quality_of_day(connection, now.date(), now - RECENT)

    return keep
