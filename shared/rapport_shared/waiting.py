"""Waiting for something that another process does: look again until it is there, or until the caller's time is up."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

Found = TypeVar("Found")


async def look_until(
    look: Callable[[], Awaitable[Found]], done: Callable[[Found], bool], wait_seconds: float, every_seconds: float
) -> Found:
    """What `look` answers as soon as `done` accepts it; after `wait_seconds`, whatever `look` answers then.

    Looks at least once. Raises what `look` raises.
    """
    now = asyncio.get_running_loop().time
    deadline = now() + wait_seconds
    while True:
        found = await look()
        if done(found) or now() >= deadline:
            return found
        await asyncio.sleep(every_seconds)
