"""`rapport`: what an operator does to topics, halted roles and dead letters, and a doctor that looks at all of it."""

import asyncio
import os
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence

from rapport_shared.database import Database
from rapport_shared.messaging import topics
from rapport_shared.messaging.doctor import examine
from rapport_shared.messaging.resume import RESUME_POSITIONS, halted_roles, resume
from rapport_shared.messaging.topics import LOCAL_PARTITIONS, PRODUCTION_PARTITIONS


def main(arguments: Sequence[str] | None = None) -> None:
    """The entry point; ends the process with 0, or 1 when something is amiss."""
    chosen = _parser().parse_args(arguments)
    sys.exit(asyncio.run(chosen.run(chosen)))


def _parser() -> ArgumentParser:
    parser = ArgumentParser(prog="rapport", description="Operate Rapport's topics, roles and dead letters.")
    commands = parser.add_subparsers(required=True)
    topic_commands = commands.add_parser("topics", help="the topics of the catalogue").add_subparsers(required=True)
    for name, run, text in (
        ("plan", _plan, "show what apply would change; ends with 1 if there is anything"),
        ("apply", _apply, "create and configure the topics of the catalogue"),
    ):
        command = topic_commands.add_parser(name, help=text)
        command.set_defaults(run=run)
        command.add_argument("--kafka", default=os.environ.get("RAPPORT_KAFKA"), help="bootstrap servers")
        command.add_argument("--partitions", type=int, default=_default_partitions())
        command.add_argument("--replication", type=int, default=int(os.environ.get("RAPPORT_REPLICATION", "1")))
    command = commands.add_parser("resume", help="resume a halted role; without a role, list the halted ones")
    command.set_defaults(run=_resume)
    command.add_argument("role", nargs="?")
    command.add_argument("--database", default=os.environ.get("RAPPORT_DATABASE"), help="DSN of the service's database")
    command.add_argument("--kafka", default=os.environ.get("RAPPORT_KAFKA"), help="bootstrap servers")
    command.add_argument(
        "--position", choices=RESUME_POSITIONS, default="keep", help="where its cursors go on: keep, beginning, end"
    )
    command = commands.add_parser(
        "doctor", help="examine Kafka and a service's database; ends with 1 if anything is amiss"
    )
    command.set_defaults(run=_doctor)
    command.add_argument("--kafka", default=os.environ.get("RAPPORT_KAFKA"))
    command.add_argument("--database", action="append", help="DSN of a service's database; may be repeated")
    command.add_argument("--partitions", type=int, default=_default_partitions())
    return parser


def _default_partitions() -> int:
    local = os.environ.get("RAPPORT_ENVIRONMENT") == "local"
    return int(os.environ.get("RAPPORT_PARTITIONS", LOCAL_PARTITIONS if local else PRODUCTION_PARTITIONS))


async def _plan(chosen: Namespace) -> int:
    async with topics.administration(chosen.kafka) as client:
        changes = await topics.plan(client, chosen.partitions)
    print("\n".join(str(change) for change in changes) or "The topics are as the catalogue says.")
    return 1 if changes else 0


async def _apply(chosen: Namespace) -> int:
    async with topics.administration(chosen.kafka) as client:
        changes = await topics.apply(client, chosen.partitions, chosen.replication)
    print("\n".join(str(change) for change in changes) or "The topics were as the catalogue says.")
    return 0


async def _resume(chosen: Namespace) -> int:
    async with Database(chosen.database, size=2, application="rapport-resume") as database:
        if chosen.role is None:
            for role, reason in (await halted_roles(database)).items():
                print(f"{role}: {reason}")
            return 0
        print(await resume(database, chosen.kafka, chosen.role, chosen.position))
    return 0


async def _doctor(chosen: Namespace) -> int:
    databases = chosen.database or [dsn for dsn in [os.environ.get("RAPPORT_DATABASE")] if dsn]
    findings = await examine(chosen.kafka, databases, chosen.partitions)
    for finding in findings:
        print(f"{'ok   ' if finding.well else 'AMISS'} {finding.what}: {finding.detail}")
    return 0 if all(finding.well for finding in findings) else 1
