"""Everything that is generated from the contracts alone."""

from rapport_shared.contract_documents import golden, schemas
from rapport_shared.contract_documents.files import Documents


def contract_documents() -> Documents:
    """Schemas and golden messages."""
    return Documents(schemas.texts() | golden.texts(), (schemas.FOLDER, golden.FOLDER))
