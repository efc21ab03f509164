"""How touchpoints of the demo are made: the same name gives the same id."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

__all__ = ["touchpoint"]

_NAMESPACE = UUID("b7a4d0c2-2f0b-4d57-9a7e-5b1d2c3e4f50")


def touchpoint(name: str, *, kind: str, at: datetime, data: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A touchpoint as a channel reports it."""
    identity = str(uuid5(_NAMESPACE, name))
    return {"id": identity, "kind": kind, "occurred_at": at.isoformat(), "data": data, **fields}
