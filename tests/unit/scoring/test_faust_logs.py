"""Faust's false alarms are dropped, and nothing else that its driver says."""

import logging

import pytest
from faust.transport.drivers.aiokafka import SLOW_PROCESSING_EXPLAINED, AIOKafkaConsumerThread
from mode.utils.logging import CompositeLogger

from rapport_scoring.faust_logs import DRIVER, FALSE_ALARMS, drop_false_alarms


def said(caplog: pytest.LogCaptureFixture, message: str, *arguments: object) -> int:
    """How many lines come of what Faust's driver says, in the way in which it does."""
    caplog.clear()
    log = CompositeLogger(
        AIOKafkaConsumerThread.logger, formatter=lambda severity, text, *args, **kwargs: f"[^--Thread]: {text}"
    )
    log.error(message, *arguments)
    return len(caplog.records)


def test_the_driver_logs_under_the_name_that_is_filtered() -> None:
    assert AIOKafkaConsumerThread.logger.name == DRIVER


def test_false_alarms_are_dropped_and_other_lines_stay(caplog: pytest.LogCaptureFixture) -> None:
    drop_false_alarms()
    drop_false_alarms()
    caplog.set_level(logging.WARNING)
    for alarm in FALSE_ALARMS:
        arguments = ["x"] * alarm.count("%")
        assert said(caplog, alarm, *arguments) == 0
        assert (
            said(caplog, f"{alarm} {SLOW_PROCESSING_EXPLAINED % {'setting': 'a', 'current_value': 1}}", *arguments) == 0
        )
    assert said(caplog, "Committing raised exception: %r", "x") == 1
    assert said(caplog, "Got exception: %r\nCurrent assignment: %r", "x", "y") == 1
