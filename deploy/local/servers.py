"""What the local stack can do with a Kafka broker or a PostgreSQL server, wherever it runs."""

from __future__ import annotations

from typing import NoReturn, Protocol

from deploy.local.errors import LocalStackError

__all__ = ["GivenServer", "Server"]


class Server(Protocol):
    """A server that can be broken and mended on its own, keeping its address and its data."""

    @property
    def name(self) -> str: ...

    @property
    def pid(self) -> int | None:
        """Its process id here; None while it is dead, or where it runs out of our sight."""

    async def kill(self) -> None:
        """Ends it as a power cut of the process would (SIGKILL, descendants included)."""

    async def pause(self) -> None:
        """Freezes it (SIGSTOP): connections stay open and nothing is answered."""

    async def resume(self) -> None:
        """Lets a frozen one go on."""

    async def stop(self) -> None:
        """Ends it in good order; its data stays."""

    async def restart(self) -> None:
        """Starts it anew on the same address with the same data and returns when it is ready; a live one is
        stopped in good order before."""


class GivenServer:
    """A server that others run, at an address we were given: it is used, never touched."""

    pid = None

    def __init__(self, name: str) -> None:
        self.name = name

    def _refuse(self) -> NoReturn:
        raise LocalStackError(f"{self.name} was given by its address; it is not ours to stop or start")

    async def kill(self) -> None:
        self._refuse()

    async def pause(self) -> None:
        self._refuse()

    async def resume(self) -> None:
        self._refuse()

    async def stop(self) -> None:
        self._refuse()

    async def restart(self) -> None:
        self._refuse()
