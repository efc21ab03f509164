"""The schemas that consumers depend on: those of the last release, kept beside the present ones."""

import json
from pathlib import Path
from typing import Final

from rapport_shared.contract_documents import schemas
from rapport_shared.contract_documents.compatibility import Schema, breaking_changes
from rapport_shared.contract_documents.files import REPOSITORY

FOLDER: Final = "shared/contracts/released"


def broken_promises(folder: Path = REPOSITORY / FOLDER) -> list[str]:
    """What the contracts break of the schemas in `folder`, a sentence each."""
    return breaking_changes(read_schemas(folder), {name: schemas.schema_of(name) for name in schemas.MODELS})


def read_schemas(folder: Path) -> dict[str, Schema]:
    """The schemas in `folder`, by type."""
    return {
        path.relative_to(folder).with_suffix("").as_posix(): json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(folder.rglob("*.json"))
    }


def release(folder: Path = REPOSITORY / FOLDER) -> list[str]:
    """Keeps the present schemas as those to hold to, unless they break a promise; answers what they break."""
    broken = broken_promises(folder)
    if not broken:
        for name in schemas.MODELS:
            path = folder / f"{name}.json"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(schemas.text_of(name), encoding="utf-8")
    return broken
