"""Segments of customers: the policy that says who belongs to one, and what its conditions make of a customer."""

from rapport_scoring.domain.segments.causes import WINDOW, Cause
from rapport_scoring.domain.segments.compiling import compile_segments
from rapport_scoring.domain.segments.evaluation import Change, evaluate, refresh
from rapport_scoring.domain.segments.index import SegmentIndex
from rapport_scoring.domain.segments.kept import Kept
from rapport_scoring.domain.segments.policy import SegmentPolicy, finds_all
from rapport_scoring.domain.segments.readings import (
    AnswerGiven,
    ContactMade,
    CustomerReadings,
    PurchaseMade,
    TicketOpened,
)

__all__ = [
    "WINDOW",
    "AnswerGiven",
    "Cause",
    "Change",
    "ContactMade",
    "CustomerReadings",
    "Kept",
    "PurchaseMade",
    "SegmentIndex",
    "SegmentPolicy",
    "TicketOpened",
    "compile_segments",
    "evaluate",
    "finds_all",
    "refresh",
]
