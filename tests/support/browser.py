"""A real browser for tests: Chromium, without a window, which may reach loopback addresses only."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Final

from playwright.async_api import Browser, async_playwright

__all__ = ["PageServer", "browser", "page_server"]

BROWSER_SETTING: Final = "RAPPORT_TEST_BROWSER"
_NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "chrome")
_LOOPBACK_ONLY: Final = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1"
_ARGUMENTS: Final = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", _LOOPBACK_ONLY),
)


@asynccontextmanager
async def browser() -> AsyncIterator[Browser]:
    """A browser with an empty profile. It is found, named by RAPPORT_TEST_BROWSER, or installed."""
    program = await _program()
    async with async_playwright() as playwright:
        running = await playwright.chromium.launch(executable_path=program, args=_ARGUMENTS)
        try:
            yield running
        finally:
            await running.close()


async def _program() -> str | None:
    """The program to start. None stands for the one that playwright keeps for itself."""
    found = os.environ.get(BROWSER_SETTING) or _found()
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        await _run("apt-get", "update", "-qq")
        await _run("apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium")
        found = _found()
    if found is None:
        await _run(sys.executable, "-m", "playwright", "install", "chromium")
    return found


def _found() -> str | None:
    return next((path for name in _NAMES if (path := shutil.which(name))), None)


async def _run(*command: str) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    process = await asyncio.create_subprocess_exec(
        *command, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, f"{' '.join(command)}: {output.decode(errors='replace')[-2000:]}"


class PageServer:
    """Serves one empty page on a port of its own: pages of other origins than the gateway's."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._server = ThreadingHTTPServer(("127.0.0.1", port), _EmptyPage)

    def origin(self, host: str = "127.0.0.1") -> str:
        """The origin of its page under a name of this machine. Each name is an origin of its own."""
        return f"http://{host}:{self.port}"

    def start(self) -> None:
        """Serves until `stop`."""
        Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        """Ends the server. Blocks for half a second at most."""
        self._server.shutdown()
        self._server.server_close()


class _EmptyPage(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>A page of a channel</title>")

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


@asynccontextmanager
async def page_server(port: int) -> AsyncIterator[PageServer]:
    """A running `PageServer`."""
    server = PageServer(port)
    server.start()
    try:
        yield server
    finally:
        await asyncio.to_thread(server.stop)
