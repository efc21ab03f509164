"""What every owner of policies publishes."""

from typing import Any

from rapport_shared.contracts.model import Contract


class PolicyActivated(Contract):
    """A version of a policy is in force from now on. `unit` is empty for the whole firm."""

    kind: str
    name: str
    unit: str
    version: int
    document: dict[str, Any]
