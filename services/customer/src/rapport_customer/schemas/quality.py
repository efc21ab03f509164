"""The quality of sources."""

from datetime import date

from pydantic import BaseModel


class QualityOfSource(BaseModel):
    """The quality of a source's records, shares in percent, null where there was nothing to judge.

    `completeness`: fields filled of those that a good record has; `validity`: values that can be read; `agreement`:
    statements that stand in the record; `freshness`: records reported in the last 90 days; `duplication`: records
    that may be another's too.
    """

    system: str
    unit: str | None
    day: date | None = None
    profiles: int
    completeness: float | None
    validity: float | None
    agreement: float | None
    freshness: float | None
    duplication: float | None


class Quality(BaseModel):
    """The quality of each source in each unit, now."""

    sources: list[QualityOfSource]


class QualityTrend(BaseModel):
    """The quality of one source, day by day."""

    days: list[QualityOfSource]
