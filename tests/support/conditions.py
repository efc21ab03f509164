"""Waiting for what must come, never for time to pass."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

__all__ = ["until"]

Found = TypeVar("Found")
_LOOK_SECONDS = 0.02


async def until(what: str, holds: Callable[[], Awaitable[Found]], seconds: float = 90) -> Found:
    """What `holds` answers once it is true; fails the test, naming `what` did not come, after so many seconds."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not (found := await holds()):
        assert asyncio.get_running_loop().time() < deadline, f"{what} did not come in {seconds:g} s"
        await asyncio.sleep(_LOOK_SECONDS)
    return found
