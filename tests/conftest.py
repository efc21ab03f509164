"""Fixtures that every kind of test may ask for, started when the first does; and how tests are shared out."""

import pytest
from hypothesis import HealthCheck, settings
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

pytest_plugins = [
    "tests.support.infrastructure",
    "tests.support.stack",
    "tests.support.view_desk",
    "tests.support.consumed_words",
]

# How long an example takes says nothing of a rule, and much of what else the machine does.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

_KEEP_STACKS_BUSY = ("tests/chaos/", "tests/e2e/")


class Pieces(LoadScopeScheduling):  # type: ignore[misc]  # pytest-xdist is untyped
    """Shares tests out between processes: those that keep a stack busy are one piece, which begins first; of the
    others each file is one. So two processes take two cores, and no stack waits for another."""

    def _split_scope(self, nodeid: str) -> str:
        return "stacks" if nodeid.startswith(_KEEP_STACKS_BUSY) else nodeid.partition("::")[0]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Pieces:
    """A hook of pytest-xdist."""
    return Pieces(config, log)
