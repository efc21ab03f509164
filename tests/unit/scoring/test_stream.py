"""The Faust app: what it does about partitions that Faust would forget."""

import asyncio
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from rapport_scoring import stream
from rapport_scoring.drain import Drain
from rapport_scoring.stream import StreamBroken, Worker, make_app
from rapport_shared.contracts.catalogue import CUSTOMER_EVENTS, INTERACTION_EVENTS


class Cluster:
    """What a broker tells of topics."""

    def __init__(self, **partitions: int) -> None:
        self._partitions = partitions

    def topics(self) -> set[str]:
        return set(self._partitions)

    def partitions_for_topic(self, topic: str) -> set[int] | None:
        count = self._partitions.get(topic)
        return None if count is None else set(range(count))


async def test_a_worker_that_was_not_given_topics_for_they_were_not_seen_ends(tmp_path: Path) -> None:
    drain: Drain[Any] = object.__new__(Drain)
    app: Any = make_app(Worker("127.0.0.1:1", "test", tmp_path, (CUSTOMER_EVENTS, INTERACTION_EVENTS), drain))
    member = app.assignor.metadata({CUSTOMER_EVENTS.name, INTERACTION_EVENTS.name})
    both = Cluster(**{CUSTOMER_EVENTS.name: 3, INTERACTION_EVENTS.name: 3})
    app.assignor.assign(both, {"one": member})
    assert list(app.left_out) == []
    app.assignor.assign(Cluster(**{CUSTOMER_EVENTS.name: 3}), {"one": member})
    assert app.left_out == [INTERACTION_EVENTS.name]
    with patch.object(stream, "TICK_SECONDS", 0), pytest.raises(StreamBroken, match=INTERACTION_EVENTS.name):
        await asyncio.wait_for(stream._watch(app), 5)
