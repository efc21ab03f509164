"""Dead letters are replayed by their consumer, once; and an operator sees what became of each."""

import asyncio
import os
import sys
from pathlib import Path

from rapport_shared.messaging.dead_letters import (
    STATES,
    Letter,
    LetterFilter,
    ask_for_replay,
    dismiss,
    find_letters,
)
from rapport_shared.messaging.halts import halt
from rapport_shared.messaging.tables import DEAD_LETTER_DECISIONS, MESSAGING_TABLES
from tests.support.conditions import until
from tests.support.consumed_words import CONSUMER, World

SECRET = "bad 138 0013 8000"


async def rapport(world: World, *arguments: str, stdin: bytes = b"") -> tuple[int, str, str]:
    """Runs `rapport` on the world's database: exit code, what it printed, what it complained about."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("RAPPORT_")}
    process = await asyncio.create_subprocess_exec(
        Path(sys.executable).with_name("rapport"),
        *arguments,
        env={**inherited, "RAPPORT_KAFKA": world.kafka, "RAPPORT_DATABASE": world.database.dsn},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    printed, complaint = await process.communicate(stdin)
    assert "Traceback" not in complaint.decode()
    return process.returncode or 0, printed.decode(), complaint.decode()


async def letters(world: World) -> list[Letter]:
    return await find_letters(world.database, LetterFilter(states=STATES), 100)


async def ask(world: World) -> list[int]:
    async with world.database.transaction() as connection:
        return await ask_for_replay(connection, LetterFilter())


async def bury(world: World, *words: str) -> list[Letter]:
    """Publishes words that are rejected, and answers their letters."""
    await world.publish(*words, "after")

    async def found() -> list[Letter] | None:
        buried = await letters(world)
        return buried if len(buried) == len(words) and "after" in await world.consumed() else None

    async with world.consuming():
        return await until("the dead letters", found) or []


async def states_are(world: World, *states: str) -> bool:
    return [letter.state for letter in await letters(world)] == list(states)


async def test_a_letter_is_consumed_once_however_often_it_is_asked_for(world: World) -> None:
    await bury(world, "bad one", "bad two")
    world.mended = True
    assert len(await ask(world)) == 2
    assert await ask(world) == []
    async with world.consuming():
        await until("both", lambda: states_are(world, "consumed", "consumed"))
        assert await ask(world) == []
        await world.publish("later")
        await until("what comes later", lambda: world.has_consumed("after", "bad one", "bad two", "later"))
    assert [letter.replays for letter in await letters(world)] == [1, 1]


async def test_two_leaders_consume_a_letter_once(world: World) -> None:
    await bury(world, "bad one")
    world.mended = True
    await ask(world)
    first, second = await world.processor(), await world.processor()
    await asyncio.gather(first.replay(10.0), second.replay(10.0))
    assert await world.consumed() == ["after", "bad one"]


async def test_a_letter_that_is_rejected_again_is_open_with_the_new_reason(world: World) -> None:
    await bury(world, "bad one", "bad broken")
    world.mended = True
    await ask(world)
    async with world.consuming():
        await until("both outcomes", lambda: states_are(world, "consumed", "open"))
        await world.publish("later")
        await until("what comes later", lambda: world.has_consumed("after", "bad one", "later"))
    again = (await letters(world))[1]
    assert (again.reason, again.replays) == ("the consumer raised RuntimeError", 1)


async def test_a_letter_that_is_dismissed_is_replayed_no_more(world: World) -> None:
    await bury(world, "bad one")
    await ask(world)
    async with world.database.transaction() as connection:
        assert len(await dismiss(connection, LetterFilter())) == 1
        assert await dismiss(connection, LetterFilter()) == []
    world.mended = True
    async with world.consuming():
        await world.publish("later")
        await until("what comes later", lambda: world.has_consumed("after", "later"))
    assert await ask(world) == []
    assert await states_are(world, "dismissed")


async def test_another_record_in_the_place_of_a_dead_letter_is_a_letter_of_its_own(world: World) -> None:
    await bury(world, "bad one")
    async with world.database.transaction() as connection:
        await dismiss(connection, LetterFilter())
        await connection.execute("DELETE FROM consumer_cursor")
    await world.recreate_topic()
    await world.publish("bad other", "end")
    async with world.consuming():
        await until("the end", lambda: world.has_consumed("after", "end"))
    assert await states_are(world, "open")


async def test_the_command_replays_by_reason_and_says_what_became_of_each(world: World) -> None:
    await bury(world, "bad one", "bad broken", "worse")
    world.mended = True
    async with world.consuming():
        code, printed, _ = await rapport(world, "dead-letters", "replay", "--reason", "BEGINS WITH BAD", "--yes")
    assert code == 1
    assert printed.splitlines()[-2:] == [
        f"{name(world, 1)}  consumed",
        f"{name(world, 2)}  rejected again: the consumer raised RuntimeError",
    ]
    code, printed, _ = await rapport(world, "dead-letters", "list")
    assert (code, [line.split()[0] for line in printed.splitlines()[1:]]) == (0, [name(world, 2), name(world, 3)])


async def test_the_command_replays_one_and_ends_well(world: World) -> None:
    await bury(world, "bad one", "bad two")
    world.mended = True
    async with world.consuming():
        assert (await rapport(world, "dead-letters", "replay", "2", "--yes"))[0] == 0
    assert await states_are(world, "open", "consumed")
    code, _, complaint = await rapport(world, "dead-letters", "replay", "2", "77", "--yes")
    assert (code, complaint) == (
        1,
        f"rapport: not there, or decided already: {name(world, 2)}, {name(world, 77)}\n",
    )


async def test_without_a_process_the_command_says_that_the_letter_waits(world: World) -> None:
    await bury(world, "bad one")
    code, printed, _ = await rapport(world, "dead-letters", "replay", "1", "--yes", "--wait", "0")
    assert (code, f"waits for a process that leads {CONSUMER}" in printed) == (1, True)


async def test_a_halted_consumer_is_named_and_nothing_is_asked_of_it(world: World) -> None:
    await bury(world, "bad one")
    async with world.database.transaction() as connection:
        await halt(connection, CONSUMER, "its ground is gone")
    code, _, complaint = await rapport(world, "dead-letters", "replay", "--all", "--yes")
    assert (code, "is halted and replays nothing" in complaint) == (1, True)
    assert await states_are(world, "open")
    code, printed, _ = await rapport(world, "resume")
    assert (code, f"{CONSUMER}: its ground is gone" in printed) == (1, True)
    assert (await rapport(world, "resume", CONSUMER, "--yes"))[0] == 0
    code, printed, _ = await rapport(world, "resume")
    assert (code, printed.splitlines()[-1]) == (0, "No role is halted.")


async def test_nothing_personal_is_shown_unless_it_is_asked_for(world: World) -> None:
    await bury(world, SECRET)
    _, listed, _ = await rapport(world, "dead-letters", "list")
    _, shown, _ = await rapport(world, "dead-letters", "show", "1")
    _, in_full, _ = await rapport(world, "dead-letters", "show", "1", "--show-data")
    assert SECRET not in listed + shown
    assert f'value        "{SECRET}"' in in_full


async def test_what_cannot_be_understood_ends_with_2_and_changes_nothing(world: World) -> None:
    await bury(world, "bad one")
    for arguments in (
        "dead-letters replay --yes",
        "dead-letters replay 1 --all --yes",
        "dead-letters replay one --yes",
        "dead-letters dismiss stranger/1 --yes",
        "dead-letters dismiss --all",
        "dead-letters list --service stranger",
        "dead-letters list --state lost",
        "dead-letters",
        "resume stranger/relay",
        "status",
    ):
        assert (await rapport(world, *arguments.split()))[0] == 2, arguments
    assert await states_are(world, "open")


async def test_dead_letters_of_an_earlier_release_are_open_and_can_be_replayed(world: World) -> None:
    async with world.database.transaction() as connection:
        await connection.execute("DROP TABLE dead_letter, outbox, event_log, parked_aggregate, consumer_cursor, halt")
        await connection.execute("DROP TABLE idempotent_answer")
        await connection.execute(MESSAGING_TABLES)
        await connection.execute(
            'INSERT INTO dead_letter (consumer, topic, partition, "offset", event_id, reason, headers, value, '
            "rejected_at) VALUES ($1, $2, 0, 0, 'bad one', 'it begins with bad', $3, $4, now())",
            CONSUMER,
            world.topic.name,
            '{"ce_id": "bad one", "ce_type": "wanted"}',
            b"bad one",
        )
        await connection.execute(DEAD_LETTER_DECISIONS)
    world.mended = True
    await ask(world)
    async with world.consuming():
        await until("the letter", lambda: states_are(world, "consumed"))
    assert await world.consumed() == ["bad one"]


def name(world: World, number: int) -> str:
    """What the command calls a letter of the world's database."""
    return f"{world.database.dsn.rpartition('/')[2].partition('?')[0].removeprefix('rapport_')}/{number}"
