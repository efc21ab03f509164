"""`rapport`: what an operator asks of a stack and does to it.

It ends with 0 when all is well or done, 1 when something is wrong, 2 when the command cannot be understood.
"""

import asyncio
import logging
import os
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from aiokafka.errors import KafkaError

from rapport_shared.messaging import topics
from rapport_shared.messaging.resume import RESUME_POSITIONS
from rapport_shared.operations import letter_commands, resuming
from rapport_shared.operations.asking import agrees
from rapport_shared.operations.databases import ServerAway
from rapport_shared.operations.doctor import examine
from rapport_shared.operations.stack import NamedStack, WrongUsage, find_stack
from rapport_shared.operations.status import ask_processes, describe

KAFKA_PATIENCE_SECONDS: Final = 30

Command = Callable[[NamedStack, Namespace], Awaitable[int]]


def main(arguments: Sequence[str] | None = None) -> None:
    """The entry point; ends the process with the exit code."""
    # What drivers say of a server that is away is said in one line here.
    logging.disable(logging.CRITICAL)
    try:
        sys.exit(run(arguments))
    except BrokenPipeError:  # whoever read the output has enough of it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


def run(arguments: Sequence[str] | None = None) -> int:
    """Carries out a command and answers its exit code. Ends the process with 2 for one that argparse refuses."""
    chosen = _parser().parse_args(arguments)
    try:
        stack = find_stack(
            kafka=chosen.kafka,
            databases=chosen.database,
            processes=chosen.process,
            partitions=chosen.partitions,
            local=chosen.local,
        )
        print(f"Stack: {stack}", flush=True)
        return asyncio.run(_carry_out(chosen.run, stack, chosen))
    except WrongUsage as error:
        print(f"rapport: {error}", file=sys.stderr)
        return 2


async def _carry_out(command: Command, stack: NamedStack, chosen: Namespace) -> int:
    try:
        return await command(stack, chosen)
    except (topics.TopicsDiffer, ServerAway) as error:
        reason = str(error)
    except (KafkaError, OSError, TimeoutError) as error:
        reason = f"Kafka at {stack.kafka} does not answer or refuses ({type(error).__name__})"
    except ValueError as error:
        reason = f"an address cannot be read ({type(error).__name__})"
    print(f"rapport: {reason}", file=sys.stderr)
    return 1


def _parser() -> ArgumentParser:
    stack = _stack_options()
    parser = ArgumentParser(
        prog="rapport",
        description="Looks at a stack of Rapport and operates it.",
        epilog="Exit codes: 0 all is well or done, 1 something is wrong, 2 the command cannot be understood.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    command = commands.add_parser("status", parents=[stack], help="show what the processes say of themselves")
    command.set_defaults(run=_status)
    command = commands.add_parser("doctor", parents=[stack], help="examine Kafka, topics, databases and processes")
    command.set_defaults(run=_doctor)
    topic_commands = commands.add_parser("topics", help="the topics of the catalogue").add_subparsers(
        required=True, metavar="COMMAND"
    )
    command = topic_commands.add_parser("plan", parents=[stack], help="show what apply would change")
    command.set_defaults(run=_plan)
    command = topic_commands.add_parser("apply", parents=[stack, _yes()], help="create and configure the topics")
    command.set_defaults(run=_apply)
    command.add_argument("--replication", type=int, help="replicas of a new topic; RAPPORT_REPLICATION, else 1")
    command = commands.add_parser(
        "resume", parents=[stack, _yes()], help="resume a halted role; without a role, list the halted ones"
    )
    command.set_defaults(run=resuming.resume_role)
    command.add_argument("role", nargs="?", help="a role, or service/role where several services have it")
    command.add_argument("--position", choices=RESUME_POSITIONS, default="keep", help="where its cursors go on")
    letter_commands.add_to(commands.add_parser("dead-letters", help="records that a consumer rejected"), stack, _yes())
    return parser


def _stack_options() -> ArgumentParser:
    parser = ArgumentParser(add_help=False)
    named = parser.add_argument_group("the stack", "Else the RAPPORT_ settings, else the local stack of this checkout.")
    named.add_argument("--kafka", metavar="SERVERS", help="bootstrap servers")
    named.add_argument("--database", metavar="ADDRESS", action="append", default=[], help="may be repeated")
    named.add_argument("--process", metavar="NAME=URL", action="append", default=[], help="may be repeated")
    named.add_argument("--partitions", type=_from_one, metavar="NUMBER", help="partitions of a topic")
    named.add_argument("--local", action="store_true", help="the local stack, whatever settings say")
    return parser


def _yes() -> ArgumentParser:
    parser = ArgumentParser(add_help=False)
    parser.add_argument("--yes", action="store_true", help="do not ask before something is changed")
    return parser


def _from_one(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


async def _status(stack: NamedStack, _: Namespace) -> int:
    states = await ask_processes(stack.require_processes())
    print("\n".join(describe(states)))
    return 0 if all(state.ready for state in states) else 1


async def _doctor(stack: NamedStack, _: Namespace) -> int:
    findings = await examine(stack)
    print("\n".join(map(str, findings)))
    return 0 if all(finding.well for finding in findings) else 1


async def _plan(stack: NamedStack, _: Namespace) -> int:
    async with asyncio.timeout(KAFKA_PATIENCE_SECONDS), topics.administration(stack.require_kafka()) as client:
        changes = await topics.plan(client, stack.partitions)
    print("\n".join(str(change) for change in changes) or "The topics are as the catalogue says.")
    return 1 if changes else 0


async def _apply(stack: NamedStack, chosen: Namespace) -> int:
    async with topics.administration(stack.require_kafka()) as client:
        changes = await topics.plan(client, stack.partitions)
        print("\n".join(str(change) for change in changes) or "The topics are as the catalogue says.")
        if not changes:
            return 0
        if not agrees(f"Make these {len(changes)} changes?", yes=chosen.yes):
            return 1
        await topics.apply(client, stack.partitions, _replication(chosen.replication))
    print("The topics are now as the catalogue says.")
    return 0


def _replication(given: int | None) -> int:
    text = str(given) if given is not None else os.environ.get("RAPPORT_REPLICATION") or "1"
    if not text.isdecimal() or not int(text):
        raise WrongUsage(f"The replication is {text!r}; it must be a number from 1.")
    return int(text)
