"""Clients generated from the gateway's document are complete and typed, and work against five real services."""

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from deploy.local.stack import Stack
from tests.support.generated import BIN, CLIENTS, DOCUMENT, Failed, Node, find_node, run

pytestmark = pytest.mark.asyncio(loop_scope="session")

STEPS = ["read", "follow", "open_ticket", "run_import", "merge"]
"""What each program does after it has reported, and prints."""
UNSUPPORTED = "Unsupported content type application/yaml"
"""Policies may be sent as YAML, too; the Python client sends JSON."""
METHODS = {"get", "put", "post", "patch", "delete"}


def operations() -> int:
    document: dict[str, Any] = json.loads(DOCUMENT.read_text(encoding="utf-8"))
    return sum(len(METHODS & methods.keys()) for methods in document["paths"].values())


@pytest_asyncio.fixture(scope="module")
async def python_client(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A folder with the package `rapport_client`, and what its generator printed."""
    folder = tmp_path_factory.mktemp("python")
    generator = (BIN / "openapi-python-client", "generate", "--path", DOCUMENT, "--meta", "none")
    settings = ("--config", CLIENTS / "python.yaml", "--output-path", "rapport_client")
    return folder, await run(*generator, *settings, directory=folder)


@pytest_asyncio.fixture(scope="module")
async def typescript_client(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Node]:
    """A folder with the program in TypeScript, its dependencies as they are locked, and the generated types."""
    folder, node = tmp_path_factory.mktemp("typescript"), find_node()
    for name in ("package.json", "package-lock.json", ".npmrc", "tsconfig.json", "program.ts"):
        shutil.copy(CLIENTS / name, folder)
    await run(node.npm, "ci", "--no-audit", "--no-fund", directory=folder, variables=node.variables)
    generator = (node.node, "node_modules/openapi-typescript/bin/cli.js", DOCUMENT, "--output", "api.d.ts")
    await run(*generator, "--default-non-nullable=false", directory=folder)
    return folder, node


async def test_the_python_client_has_every_operation(python_client: tuple[Path, str]) -> None:
    folder, printed = python_client
    generated = [path for path in (folder / "rapport_client" / "api").glob("*/*.py") if path.name != "__init__.py"]
    assert len(generated) == operations()
    warnings = [line for line in printed.splitlines() if line and line[0].isupper() and "WARNING" not in line]
    assert {line for line in warnings if "nsupported" in line} == {UNSUPPORTED}
    assert printed.count("WARNING") == printed.count(UNSUPPORTED)


async def test_the_python_client_is_typed(python_client: tuple[Path, str]) -> None:
    folder, _ = python_client
    check = (sys.executable, "-m", "mypy", "--strict", "--config-file=", "--cache-dir", folder / "cache")
    await run(*check, CLIENTS / "program.py", directory=folder, variables={"MYPYPATH": str(folder)})
    wrong = folder / "wrong.py"
    wrong.write_text(
        "from rapport_client.models import CustomerView\n\n\ndef f(v: CustomerView) -> str:\n    return v.tiers"
    )
    with pytest.raises(Failed, match='"CustomerView" has no attribute "tiers"'):
        await run(*check, wrong, directory=folder, variables={"MYPYPATH": str(folder)})


async def test_the_python_client_works(python_client: tuple[Path, str], stack: Stack) -> None:
    folder, _ = python_client
    variables = {"GATEWAY": stack.gateway, "KEY": stack.key, "PYTHONPATH": str(folder)}
    printed = await run(sys.executable, CLIENTS / "program.py", directory=folder, variables=variables)
    assert printed.split() == STEPS


async def test_the_typescript_client_is_typed(typescript_client: tuple[Path, Node]) -> None:
    folder, node = typescript_client
    compiler = (node.node, "node_modules/typescript/bin/tsc", "--noEmit")
    await run(*compiler, "--project", ".", directory=folder)
    program = (folder / "program.ts").read_text(encoding="utf-8")
    (folder / "program.ts").write_text(program.replace("shown.interactions?.count", "shown.interactions?.counts"))
    try:
        with pytest.raises(Failed, match=r"Property 'counts' does not exist"):
            await run(*compiler, "--project", ".", directory=folder)
    finally:
        (folder / "program.ts").write_text(program, encoding="utf-8")


async def test_the_typescript_client_works(typescript_client: tuple[Path, Node], stack: Stack) -> None:
    folder, node = typescript_client
    await run(node.node, "node_modules/typescript/bin/tsc", "--project", ".", "--outDir", "built", directory=folder)
    variables = {"GATEWAY": stack.gateway, "KEY": stack.key}
    assert (await run(node.node, "built/program.js", directory=folder, variables=variables)).split() == STEPS


async def test_the_lock_names_no_registry() -> None:
    lock = json.loads((CLIENTS / "package-lock.json").read_text(encoding="utf-8"))
    assert all("resolved" not in package for package in lock["packages"].values())
    assert all("integrity" in package for name, package in lock["packages"].items() if name)
