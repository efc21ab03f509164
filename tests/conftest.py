"""Fixtures that every kind of test may ask for; nothing is started before one of them does."""

pytest_plugins = ["tests.support.infrastructure", "tests.support.stack", "tests.support.view_desk"]
