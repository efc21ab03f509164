"""The process of each kind of ticket: its states, and where each leads."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from rapport_shared.contracts.ticket import LOST, WON, TicketKind

NEW: Final = "new"
RESOLVED: Final = "resolved"
NEEDLESS: Final = "needless"
"""The state of a ticket whose reason ended before anybody began to work."""

Steps = Mapping[str, tuple[str, ...]]


class TransitionRefused(Exception):
    """The process has no such transition. `possible` are the states that `state` leads to."""

    def __init__(self, state: str, possible: tuple[str, ...]) -> None:
        super().__init__(f"a ticket in state {state} can only go to: {', '.join(possible)}")
        self.state = state
        self.possible = possible


@dataclass(frozen=True, slots=True)
class Process:
    """The states of a kind of ticket. `prefix` begins its numbers; in `ended` states no work is left."""

    prefix: str
    steps: Steps
    ended: frozenset[str]

    def possible(self, state: str) -> tuple[str, ...]:
        """Returns the states that `state` leads to. `resolved` needs a resolution."""
        return self.steps[state]

    def leave(self, state: str, to: str) -> None:
        """Raises `TransitionRefused` unless a ticket in `state` can go to `to`."""
        if to not in self.steps[state]:
            raise TransitionRefused(state, self.steps[state])

    def is_open(self, state: str) -> bool:
        """Whether work is left in `state`."""
        return state not in self.ended

    def number(self, running: int) -> str:
        """The number that people say: `R-100234`."""
        return f"{self.prefix}-{running:06d}"


_AGAIN = ("in_progress",)

_SERVICE: Final = Process(
    "S",
    {
        NEW: ("assigned", "in_progress", RESOLVED, "cancelled"),
        "assigned": ("in_progress", "waiting", RESOLVED, "cancelled"),
        "in_progress": ("assigned", "waiting", RESOLVED, "cancelled"),
        "waiting": ("in_progress", RESOLVED, "cancelled"),
        RESOLVED: ("closed", *_AGAIN),
        "closed": _AGAIN,
        "cancelled": _AGAIN,
    },
    frozenset({RESOLVED, "closed", "cancelled"}),
)


def _own_work(prefix: str) -> Process:
    """The process of a service, with the additional state `needless`."""
    steps = {**_SERVICE.steps, NEW: (*_SERVICE.steps[NEW], NEEDLESS), NEEDLESS: _AGAIN}
    return Process(prefix, steps, _SERVICE.ended | {NEEDLESS})


PROCESSES: Final[Mapping[str, Process]] = MappingProxyType(
    {
        TicketKind.SERVICE: _SERVICE,
        TicketKind.REPAIR: Process(
            "R",
            {
                NEW: ("assigned", "scheduled", "in_progress", "cancelled"),
                "assigned": ("scheduled", "in_progress", "cancelled"),
                "scheduled": ("assigned", "in_progress", "cancelled"),
                "in_progress": ("scheduled", "waiting", RESOLVED, "cancelled"),
                "waiting": ("scheduled", "in_progress", "cancelled"),
                RESOLVED: ("closed", *_AGAIN),
                "closed": _AGAIN,
                "cancelled": ("scheduled", *_AGAIN),
            },
            frozenset({RESOLVED, "closed", "cancelled"}),
        ),
        # A firm does not cancel a complaint: it answers it, or the customer withdraws it.
        TicketKind.COMPLAINT: Process(
            "C",
            {
                NEW: ("assigned", "in_progress", "withdrawn"),
                "assigned": ("in_progress", "withdrawn"),
                "in_progress": ("assigned", "waiting", RESOLVED, "withdrawn"),
                "waiting": ("in_progress", RESOLVED, "withdrawn"),
                RESOLVED: ("closed", *_AGAIN),
                "closed": _AGAIN,
                "withdrawn": _AGAIN,
            },
            frozenset({RESOLVED, "closed", "withdrawn"}),
        ),
        TicketKind.FOLLOW_UP: _own_work("F"),
        TicketKind.TASK: _own_work("T"),
        # An opportunity is not resolved: it is decided.
        TicketKind.OPPORTUNITY: Process(
            "O",
            {
                NEW: ("assigned", "in_progress", WON, LOST, "cancelled", NEEDLESS),
                "assigned": ("in_progress", "waiting", WON, LOST, "cancelled"),
                "in_progress": ("assigned", "waiting", WON, LOST, "cancelled"),
                "waiting": ("in_progress", WON, LOST, "cancelled"),
                WON: _AGAIN,
                LOST: _AGAIN,
                "cancelled": _AGAIN,
                NEEDLESS: _AGAIN,
            },
            frozenset({WON, LOST, "cancelled", NEEDLESS}),
        ),
    }
)

STATES: Final = frozenset(state for process in PROCESSES.values() for state in process.steps)
