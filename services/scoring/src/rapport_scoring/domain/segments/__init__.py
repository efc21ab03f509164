"""Segments of customers: the policy that says who belongs to one, and what its conditions make of a customer."""

from rapport_scoring.domain.segments.causes import WINDOW, Cause
from rapport_scoring.domain.segments.compiling import SegmentError, compile_segments
from rapport_scoring.domain.segments.evaluation import (
    Change,
    Memberships,
    begin,
    compare,
    evaluate,
    reevaluate,
)
from rapport_scoring.domain.segments.index import SegmentIndex
from rapport_scoring.domain.segments.policy import SegmentPolicy, finds_all
from rapport_scoring.domain.segments.readings import (
    AnswerGiven,
    ContactMade,
    CustomerReadings,
    PurchaseMade,
    TicketOpened,
)
from rapport_scoring.domain.segments.timing import next_change

__all__ = [
    "WINDOW",
    "AnswerGiven",
    "Cause",
    "Change",
    "ContactMade",
    "CustomerReadings",
    "Memberships",
    "PurchaseMade",
    "SegmentError",
    "SegmentIndex",
    "SegmentPolicy",
    "TicketOpened",
    "begin",
    "compare",
    "compile_segments",
    "evaluate",
    "finds_all",
    "next_change",
    "reevaluate",
]
