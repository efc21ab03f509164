"""Waiting for what must come, never for time to pass."""

import asyncio
from collections.abc import Awaitable, Callable

__all__ = ["until"]

_LOOK_SECONDS = 0.02


async def until(what: str, holds: Callable[[], Awaitable[bool]], seconds: float = 90) -> None:
    """Returns once `holds`; fails the test, naming `what` did not come, after so many seconds."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not await holds():
        assert asyncio.get_running_loop().time() < deadline, f"{what} did not come in {seconds:g} s"
        await asyncio.sleep(_LOOK_SECONDS)
