"""Everything that is generated from the contracts alone."""

from rapport_shared.contract_documents import asyncapi, events_page, golden, schemas
from rapport_shared.contract_documents.files import Documents


def contract_documents() -> Documents:
    """Schemas, golden messages, the page of topics and events, the AsyncAPI document."""
    texts = schemas.texts() | golden.texts() | events_page.texts() | asyncapi.texts()
    return Documents(texts, (schemas.FOLDER, golden.FOLDER))
