"""The gateway's copy of the own fields and kinds that the deployment declares."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from rapport_shared.clock import Clock
from rapport_shared.database import Database
from rapport_shared.own_fields import UNDECLARED, OwnRules
from rapport_shared.policy_registers import FieldsInForce, fields_in_force
from rapport_shared.waiting import look_until

REMEMBERED: Final = timedelta(seconds=1)
"""A batch asks for each touchpoint, and a new version is to count soon after it was activated."""
LOOKED_SECONDS: Final = 0.1
NOTHING: Final = FieldsInForce(0, UNDECLARED)


@dataclass(slots=True)
class KnownFields:
    """Knows the declared fields. A replica is at most one second behind the gateway's database."""

    database: Database
    clock: Clock
    _known: FieldsInForce = NOTHING
    _until: datetime | None = None

    async def rules(self) -> OwnRules:
        """The rules to check with."""
        if self._until is None or self.clock() >= self._until:
            await self.look()
        return self._known.rules

    async def look(self) -> FieldsInForce:
        """Reads the present declaration; this replica checks with it from now on."""
        self._known = await fields_in_force(self.database)
        self._until = self.clock() + REMEMBERED
        return self._known

    async def of_version(self, version: int | None, wait_ms: int) -> FieldsInForce:
        """What is declared, as soon as it is of `version`; after `wait_ms` what it is then."""
        return await look_until(
            self.look, lambda found: version in (None, found.version), wait_ms / 1000, LOOKED_SECONDS
        )
