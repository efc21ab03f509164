"""Fixtures that every kind of test may ask for; nothing is started before one of them does. How tests are shared out."""

import pytest
from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.support.infrastructure", "tests.support.stack", "tests.support.view_desk"]

# How long an example takes says nothing of a rule, and much of what else the machine does.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

_RUNNING_STACK = "stack"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Between processes, what shares the running stack stays together and is begun first; else a file is one piece."""
    for item in items:
        assert isinstance(item, pytest.Function)
        piece = _RUNNING_STACK if _RUNNING_STACK in item.fixturenames else item.path.name
        item.add_marker(pytest.mark.xdist_group(piece))
    items.sort(key=lambda item: _RUNNING_STACK not in getattr(item, "fixturenames", ()))
