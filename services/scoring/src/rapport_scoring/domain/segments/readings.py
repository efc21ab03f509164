"""What is known of one customer, as segments read it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Final, NamedTuple, Protocol, TypeAlias

Stated: TypeAlias = str | bool | int | float | None
Value: TypeAlias = Stated | timedelta
"""What a condition compares. None is unknown."""


class ContactMade(NamedTuple):
    """A conversation with the customer."""

    at: datetime
    channel: str
    kind: str
    direction: str | None = None
    seconds: int = 0


class PurchaseMade(NamedTuple):
    """A purchase. `at` is the midnight with which its day begins in the customer's unit.

    `revenue` is in minor units of the reporting currency, None where there is no rate for it.
    """

    at: datetime
    revenue: int | None
    categories: frozenset[str] = frozenset()
    skus: frozenset[str] = frozenset()


class AnswerGiven(NamedTuple):
    """An answer to a survey."""

    at: datetime
    survey: str
    score: int


class TicketOpened(NamedTuple):
    """A ticket that was opened, whatever became of it."""

    at: datetime
    kind: str


Happened: TypeAlias = ContactMade | PurchaseMade | AnswerGiven | TicketOpened
AT: Final = itemgetter(0)
"""The instant of a fact."""


class Readings(Protocol):
    """What conditions ask of a customer; see `CustomerReadings`."""

    @property
    def values(self) -> Mapping[str, Stated]:
        """What stands, by name."""

    @property
    def since(self) -> Mapping[str, datetime]:
        """When something began, by name."""

    def facts(self, stream: str) -> Sequence[Happened]:
        """The facts of a stream, by instant."""


@dataclass(frozen=True, slots=True)
class CustomerReadings:
    """A snapshot of one customer. It holds no "now": what it says of an instant follows from the instant.

    `values` are by the names of `catalogue.READINGS` and `indicator:<name>`; what is missing, or not of its kind, is
    unknown (an alarm or trigger: not raised, tickets: none). `since` says when what `catalogue.AGES` names began. The
    facts may be handed over in any order; those of one stream are kept by instant. Facts and instants that lie ahead
    of the instant of evaluation do not count before their time.
    """

    values: Mapping[str, Stated] = field(default_factory=dict)
    since: Mapping[str, datetime] = field(default_factory=dict)
    contacts: Sequence[ContactMade] = ()
    purchases: Sequence[PurchaseMade] = ()
    answers: Sequence[AnswerGiven] = ()
    tickets: Sequence[TicketOpened] = ()

    def __post_init__(self) -> None:
        """Puts the facts in order."""
        for stream in ("contacts", "purchases", "answers", "tickets"):
            object.__setattr__(self, stream, tuple(sorted(getattr(self, stream), key=AT)))

    def facts(self, stream: str) -> tuple[Happened, ...]:
        """The facts of a stream, by instant. Raises AttributeError for a stream that is none."""
        facts: tuple[Happened, ...] = getattr(self, stream)
        return facts
