"""Touchpoints: what channels report. One model a kind, one union of them all."""

from rapport_shared.contracts.touchpoints.documents import (
    DOCUMENT_KINDS,
    DocumentFamily,
    DocumentKey,
    DocumentTouchpoint,
    document_key,
    documents_named,
    revision,
    value_date,
)
from rapport_shared.contracts.touchpoints.envelope import (
    CHANNELS,
    Attachment,
    Identifier,
    IdentifierName,
    Source,
    TouchpointEnvelope,
)
from rapport_shared.contracts.touchpoints.errors import FieldError, TouchpointInvalid
from rapport_shared.contracts.touchpoints.fields import (
    MAX_BATCH,
    MAX_BATCH_BYTES,
    MAX_DEPTH,
    MAX_TEXT_BYTES,
    MAX_TOUCHPOINT_BYTES,
    Money,
)
from rapport_shared.contracts.touchpoints.kinds import MODEL_OF, Touchpoint, model_of
from rapport_shared.contracts.touchpoints.reading import (
    KINDS,
    check_times,
    content_digest,
    corrected_occurred_at,
    parse_touchpoint,
    read_touchpoint,
    touchpoint_adapter,
)

__all__ = [
    "CHANNELS",
    "DOCUMENT_KINDS",
    "KINDS",
    "MAX_BATCH",
    "MAX_BATCH_BYTES",
    "MAX_DEPTH",
    "MAX_TEXT_BYTES",
    "MAX_TOUCHPOINT_BYTES",
    "MODEL_OF",
    "Attachment",
    "DocumentFamily",
    "DocumentKey",
    "DocumentTouchpoint",
    "FieldError",
    "Identifier",
    "IdentifierName",
    "Money",
    "Source",
    "Touchpoint",
    "TouchpointEnvelope",
    "TouchpointInvalid",
    "check_times",
    "content_digest",
    "corrected_occurred_at",
    "document_key",
    "documents_named",
    "model_of",
    "parse_touchpoint",
    "read_touchpoint",
    "revision",
    "touchpoint_adapter",
    "value_date",
]
