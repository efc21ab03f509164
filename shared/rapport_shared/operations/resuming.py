"""`rapport resume`: halted roles of a stack, listed and resumed."""

import sys
from argparse import Namespace
from collections.abc import Mapping

from rapport_shared.messaging.resume import NotHalted, halted_roles, resume
from rapport_shared.operations.asking import agrees
from rapport_shared.operations.databases import database_of
from rapport_shared.operations.stack import NamedStack, WrongUsage

Halts = Mapping[str, Mapping[str, str]]
"""Halted roles and the reasons, by service."""


async def resume_role(stack: NamedStack, chosen: Namespace) -> int:
    """Resumes a role, or lists the halted ones: then it ends with 1 if there are any."""
    halts = {service: await _halts(service, dsn) for service, dsn in stack.require_databases().items()}
    if chosen.role is None:
        lines = [f"{service}/{role}: {reason}" for service, roles in halts.items() for role, reason in roles.items()]
        print("\n".join(lines) or "No role is halted.")
        return 1 if lines else 0
    found = find_halt(halts, chosen.role)
    if found is None:
        print(f"rapport: {chosen.role} is not halted", file=sys.stderr)
        return 1
    service, role = found
    kafka = stack.kafka if chosen.position == "keep" else stack.require_kafka()
    print(f"{service}/{role} is halted: {halts[service][role]}")
    if not agrees(f"Resume it, cursors: {chosen.position}?", yes=chosen.yes):
        return 1
    async with database_of(service, stack.databases[service]) as database:
        try:
            print(await resume(database, kafka or "", role, chosen.position))
        except NotHalted as error:
            print(f"rapport: {error}", file=sys.stderr)
            return 1
    return 0


def find_halt(halts: Halts, name: str) -> tuple[str, str] | None:
    """The service and the role that `name` means, None where it is not halted.

    Raises `WrongUsage` for a role that is halted in several services, and for a service that is not known.
    """
    service, separator, role = name.rpartition("/")
    if separator and service not in halts:
        raise WrongUsage(f"There is no service {service} here: there are {', '.join(halts)}.")
    searched = [service] if separator else list(halts)
    found = [(one, role) for one in searched if role in halts[one]]
    if len(found) > 1:
        names = ", ".join(f"{one}/{role}" for one, role in found)
        raise WrongUsage(f"{role} is halted in several services: name one of {names}.")
    return found[0] if found else None


async def _halts(service: str, dsn: str) -> dict[str, str]:
    async with database_of(service, dsn) as database:
        return await halted_roles(database)
