"""Fixtures that every kind of test may ask for, started when the first does; and how tests are shared out."""

import pytest
from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.support.infrastructure", "tests.support.stack", "tests.support.view_desk"]

# How long an example takes says nothing of a rule, and much of what else the machine does.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

_STACK, _CHAOS = "stack", "chaos"


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Shares tests out between processes: those that keep a stack busy are one piece and begin first, of the others
    each file is a piece. So two processes take two cores, and no stack waits for another."""
    items.sort(key=lambda item: not _keeps_a_stack_busy(item))
    for item in items:
        item.add_marker(pytest.mark.xdist_group(_STACK if _keeps_a_stack_busy(item) else item.path.name))


def _keeps_a_stack_busy(item: pytest.Item) -> bool:
    return _STACK in getattr(item, "fixturenames", ()) or _CHAOS in item.path.parts
