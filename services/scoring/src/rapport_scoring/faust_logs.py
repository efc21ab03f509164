"""What Faust reports as an error and is none here.

Faust watches whether its agents fetch, process and commit. A worker that was paused, a broker that was away and a quiet
topic all look to it like a hanging agent, and it goes on by itself. Here the drain reads, and the worker's own watchdog
ends a process whose rebalance hangs; so these lines would only wake somebody for nothing.
"""

import logging
from typing import Final

from faust.transport.drivers import aiokafka as driver

DRIVER: Final = "faust.transport.drivers.aiokafka"
FALSE_ALARMS: Final = (
    "No active partitions for ",
    driver.SLOW_PROCESSING_NO_FETCH_SINCE_START,
    driver.SLOW_PROCESSING_NO_RECENT_FETCH,
    driver.SLOW_PROCESSING_NO_HIGHWATER_SINCE_START,
    driver.SLOW_PROCESSING_STREAM_IDLE_SINCE_START,
    driver.SLOW_PROCESSING_STREAM_IDLE,
    driver.SLOW_PROCESSING_NO_COMMIT_SINCE_START,
    driver.SLOW_PROCESSING_NO_RECENT_COMMIT,
)


def drop_false_alarms() -> None:
    """Drops these lines, and no others, from the log of Faust's driver. May be repeated."""
    logging.getLogger(DRIVER).addFilter(is_meant)


def is_meant(record: logging.LogRecord) -> bool:
    """Whether a record of Faust's driver says something that matters here."""
    return not any(alarm in str(record.msg) for alarm in FALSE_ALARMS)
