"""A customer as it was when it was last evaluated, as far as what was kept of it tells."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from rapport_scoring.domain.segments.expressions import Atom, Expression
from rapport_scoring.domain.segments.index import Moment, SegmentIndex
from rapport_scoring.domain.segments.kept import Kept, trace
from rapport_scoring.domain.segments.readings import Happened, Stated
from rapport_scoring.domain.segments.subjects import Sliding, Subject


@dataclass(frozen=True, slots=True)
class Former:
    """What is known of a customer as it was.

    Nothing without a `moment`; with it all but the facts of the streams that are `lost`. `added` are the facts that
    came since, by stream.
    """

    moment: Moment | None = None
    lost: frozenset[str] = frozenset()
    added: Mapping[str, Sequence[Happened]] = field(default_factory=dict)

    def of(self, subject: Subject) -> Moment | None:
        """The moment, where it tells what the subject was."""
        return None if isinstance(subject, Sliding) and subject.selection.stream in self.lost else self.moment

    def truth(self, index: SegmentIndex, expression: Expression) -> bool | None:
        """Whether the expression held; None where what is known does not decide it."""
        if isinstance(expression, Atom):
            was = self.of(expression.subject)
            return None if was is None else index.condition(expression)(was)
        truths = [self.truth(index, part) for part in expression.parts]
        if expression.kind == "not":
            return None if truths[0] is None else not truths[0]
        decides = expression.kind == "any"
        return decides if decides in truths else None if None in truths else not decides


NOTHING: Final = Former()
"""Nothing is known of how it was."""


def recall(kept: Kept, seen: Kept, now: Moment) -> Former:
    """The customer as it was when `kept` was kept, given what `keep` says of it now."""
    changed = [stream for stream, before in kept.streams.items() if before != seen.streams[stream]]
    facts = {stream: now.readings.facts(stream) for stream in kept.streams}
    earlier = {stream: facts[stream][: kept.streams[stream].facts] for stream in changed}
    lost = frozenset(stream for stream, those in earlier.items() if trace(those) != kept.streams[stream])
    added = {stream: facts[stream][len(those) :] for stream, those in earlier.items() if stream not in lost}
    readings = _Remembered(kept.values, kept.since, facts | earlier)
    return Former(Moment(readings, kept.at, None if changed else now.facts), lost, added)


@dataclass(frozen=True, slots=True)
class _Remembered:
    values: Mapping[str, Stated]
    since: Mapping[str, datetime]
    streams: Mapping[str, Sequence[Happened]]

    def facts(self, stream: str) -> Sequence[Happened]:
        return self.streams[stream]
