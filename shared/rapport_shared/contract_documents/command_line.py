"""What the generators have in common: write, check, or release."""

import sys
from argparse import ArgumentParser
from pathlib import Path

from rapport_shared.contract_documents.files import REPOSITORY, Documents, differences, write
from rapport_shared.contract_documents.released import FOLDER, broken_promises, release

_RULES = "docs/decisions/contract-changes.md says how contracts change."


def run(documents: Documents) -> None:
    """Writes `documents`; with `--check` compares instead. Ends the process with status 1 if a document differs."""
    parser = ArgumentParser(description="Writes the documents of the contracts.")
    action = parser.add_mutually_exclusive_group()
    action.add_argument("--check", action="store_true", help="write nothing; print what differs or breaks, and exit 1")
    action.add_argument("--release", action="store_true", help="keep the present schemas as those to hold to")
    parser.add_argument(
        "--against", type=Path, default=REPOSITORY / FOLDER, metavar="FOLDER", help="the schemas to hold to"
    )
    chosen = parser.parse_args()
    if chosen.release:
        _stop_if_broken(release(chosen.against))
    elif chosen.check:
        drift = differences(documents)
        if drift:
            sys.exit(f"{drift}Generated documents are not up to date: run `make contracts`.")
        _stop_if_broken(broken_promises(chosen.against))
    else:
        for path in write(documents):
            print(path)


def _stop_if_broken(broken: list[str]) -> None:
    if broken:
        sys.exit("\n".join(["Breaking changes of contracts:", *broken, _RULES]))
