"""`python -m rapport_shared.contract_documents [--check | --release] [--against FOLDER]`."""

from rapport_shared.contract_documents.command_line import run
from rapport_shared.contract_documents.documents import contract_documents

run(contract_documents())
