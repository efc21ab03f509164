"""Clients that are generated from the gateway's document, and programs that run over them."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.local.infrastructure import CHECKOUT

__all__ = ["CLIENTS", "DOCUMENT", "Failed", "Node", "find_node", "run"]

CLIENTS = CHECKOUT / "tests" / "clients"
DOCUMENT = CHECKOUT / "docs" / "openapi" / "gateway.json"
OLDEST_NODE = 20
BIN = Path(sys.executable).parent


class Failed(AssertionError):
    """A program ended with an error; the message is what it printed."""


async def run(*command: str | Path, directory: Path, variables: Mapping[str, str] | None = None) -> str:
    """What a program prints. Raises `Failed` with all that it printed where it does not end well."""
    process = await asyncio.create_subprocess_exec(
        *map(str, command),
        cwd=directory,
        env={**os.environ, **(variables or {})},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    printed, _ = await process.communicate()
    if process.returncode != 0:
        raise Failed(f"{command[0]} ended with {process.returncode}:\n{printed.decode()}")
    return printed.decode()


@dataclass(frozen=True, slots=True)
class Node:
    """Node and its npm: those of the system, else those of the environment."""

    node: Path
    npm: Path

    @property
    def variables(self) -> dict[str, str]:
        """What programs of npm need to find this node."""
        return {"PATH": f"{self.node.parent}{os.pathsep}{os.environ['PATH']}"}


def find_node() -> Node:
    """The node of the system where it is new enough, else the one of the environment."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is not None and npm is not None:
        version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
        if int(version.lstrip("v").partition(".")[0]) >= OLDEST_NODE:
            return Node(Path(node), Path(npm))
    return Node(BIN / "node", BIN / "npm")
