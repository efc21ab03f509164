"""Fixtures that every kind of test may ask for; nothing is started before one of them does."""

from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.support.infrastructure", "tests.support.stack", "tests.support.view_desk"]

# How long an example takes says nothing of a rule, and much of what else the machine does.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")
