"""`rapport dead-letters list | show | replay | dismiss`."""

import asyncio
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from typing import Final, cast

from rapport_shared.messaging.dead_letters import STATES, UNDECIDED, Letter, LetterFilter, State
from rapport_shared.operations import letters
from rapport_shared.operations.asking import agrees
from rapport_shared.operations.letters import Wanted
from rapport_shared.operations.stack import NamedStack, WrongUsage

SHOWN_AT_MOST: Final = 50
DECIDED_AT_ONCE: Final = 1000
WAIT_SECONDS: Final = 30.0


def add_to(parser: ArgumentParser, stack: ArgumentParser, yes: ArgumentParser) -> None:
    """Adds the commands to `parser`; `stack` and `yes` are the options that they share with others."""
    chosen = _filter_options()
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    command = commands.add_parser("list", parents=[chosen, stack], help="list dead letters, the oldest first")
    command.set_defaults(run=_list)
    command.add_argument("--state", choices=[*STATES, "all"], help="by default those that are not decided yet")
    command.add_argument("--limit", type=int, default=SHOWN_AT_MOST, help="at most so many of each service")
    command = commands.add_parser("show", parents=[stack], help="show one dead letter")
    command.set_defaults(run=_show)
    command.add_argument("letter", help="its name, such as customer/17")
    command.add_argument("--show-data", action="store_true", help="show key, headers and value: they may be personal")
    command = commands.add_parser("replay", parents=[chosen, stack, yes], help="have their consumers consume them")
    command.set_defaults(run=_replay)
    _add_names(command)
    command.add_argument("--wait", type=float, default=WAIT_SECONDS, metavar="SECONDS", help="wait for the outcome")
    command = commands.add_parser("dismiss", parents=[chosen, stack, yes], help="give them up, for good")
    command.set_defaults(run=_dismiss)
    _add_names(command)


def _filter_options() -> ArgumentParser:
    parser = ArgumentParser(add_help=False)
    filters = parser.add_argument_group("which letters")
    filters.add_argument("--service", default="", help="of one service")
    filters.add_argument("--consumer", default="", help="of one consumer")
    filters.add_argument("--topic", default="", help="of one topic")
    filters.add_argument("--reason", default="", metavar="PART", help="whose reason has this part")
    return parser


def _add_names(parser: ArgumentParser) -> None:
    parser.add_argument("letters", nargs="*", metavar="LETTER", help="names, such as customer/17")
    parser.add_argument("--all", action="store_true", help="all that are not decided yet")


async def _list(stack: NamedStack, chosen: Namespace) -> int:
    states = _states(chosen.state)
    wanted = Wanted(_filter(chosen, states), None, _service(stack, chosen))
    found = await letters.list_letters(stack.require_databases(), wanted, max(1, chosen.limit))
    print("\n".join(letters.line(service, letter) for service, letter in found) or "There is no such dead letter.")
    return 0


async def _show(stack: NamedStack, chosen: Namespace) -> int:
    databases = stack.require_databases()
    named = letters.read_names([chosen.letter], databases) or {}
    ((service, (letter_id, *_)),) = named.items()
    found = await letters.show_letter(service, databases[service], letter_id)
    if found is None:
        return _complain(f"{service} has no dead letter {letter_id}")
    print("\n".join(letters.details(service, *found, with_data=chosen.show_data)))
    return 0


async def _replay(stack: NamedStack, chosen: Namespace) -> int:
    found = await _chosen_letters(stack, chosen, ("open",))
    if found is None:
        return 1
    for service in found:
        halted = await letters.halted_consumers(service, stack.databases[service])
        for consumer in sorted({letter.consumer for letter in found[service]} & halted.keys()):
            return _complain(
                f"{service}/{consumer} is halted and replays nothing: `rapport resume {service}/{consumer}`"
            )
    if not found or not agrees(f"Replay {_counted(found)}?", yes=chosen.yes):
        return 0 if not found else 1
    replayed = await asyncio.gather(
        *(
            letters.replay_letters(service, stack.databases[service], some, chosen.wait)
            for service, some in found.items()
        )
    )
    outcomes = [(service, letter) for service, some in zip(found, replayed, strict=True) for letter in some]
    print("\n".join(letters.outcome(service, letter) for service, letter in outcomes))
    return 0 if all(letter.state == "consumed" for _, letter in outcomes) else 1


async def _dismiss(stack: NamedStack, chosen: Namespace) -> int:
    found = await _chosen_letters(stack, chosen, UNDECIDED)
    if found is None:
        return 1
    if not found or not agrees(f"Dismiss {_counted(found)}, for good?", yes=chosen.yes):
        return 0 if not found else 1
    for service, some in found.items():
        dismissed = await letters.dismiss_letters(service, stack.databases[service], some)
        print("\n".join(f"{service}/{letter_id}  dismissed" for letter_id in dismissed))
    return 0


async def _chosen_letters(
    stack: NamedStack, chosen: Namespace, states: Sequence[State]
) -> dict[str, list[Letter]] | None:
    """The letters to decide by service, none where a filter takes none; None where one that is named cannot be."""
    databases = stack.require_databases()
    filtered = any((chosen.service, chosen.consumer, chosen.topic, chosen.reason))
    if bool(chosen.letters) + chosen.all > 1 or not (chosen.letters or chosen.all or filtered):
        raise WrongUsage(
            "Name the letters, or choose them by --service, --consumer, --topic or --reason, or give --all."
        )
    named = letters.read_names(chosen.letters, databases)
    wanted = Wanted(_filter(chosen, states), named, _service(stack, chosen))
    found: dict[str, list[Letter]] = {}
    for service, letter in await letters.list_letters(databases, wanted, DECIDED_AT_ONCE):
        found.setdefault(service, []).append(letter)
    missing = [
        f"{service}/{letter_id}"
        for service, ids in (named or {}).items()
        for letter_id in ids
        if letter_id not in {letter.id for letter in found.get(service, ())}
    ]
    if missing:
        _complain(f"not there, or decided already: {', '.join(missing)}")
        return None
    print(
        "\n".join(letters.line(service, letter) for service, some in found.items() for letter in some)
        or "There is no such dead letter."
    )
    return found


def _states(given: str | None) -> Sequence[State]:
    if given is None:
        return UNDECIDED
    return STATES if given == "all" else (cast(State, given),)


def _filter(chosen: Namespace, states: Sequence[State]) -> LetterFilter:
    return LetterFilter(states=states, consumer=chosen.consumer, topic=chosen.topic, reason=chosen.reason)


def _service(stack: NamedStack, chosen: Namespace) -> str:
    databases = stack.require_databases()
    if chosen.service and chosen.service not in databases:
        raise WrongUsage(f"There is no service {chosen.service} here: there are {', '.join(databases)}.")
    return str(chosen.service)


def _counted(found: dict[str, list[Letter]]) -> str:
    number = sum(len(some) for some in found.values())
    return "this dead letter" if number == 1 else f"these {number} dead letters"


def _complain(text: str) -> int:
    print(f"rapport: {text}", file=sys.stderr)
    return 1
