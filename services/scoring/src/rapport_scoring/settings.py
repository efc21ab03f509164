"""Settings of the scoring service."""

import tempfile
from pathlib import Path
from typing import Final

from pydantic import Field

from rapport_shared.settings import ServiceSettings

CONSUMER: Final = "value"
"""The name under which the cursors of scoring's one subscription are stored."""


class ScoringSettings(ServiceSettings):
    """What the scoring service needs beside what every service needs."""

    worker_group: str = Field(
        default="rapport-scoring",
        min_length=1,
        max_length=100,
        description="The consumer group in which scoring's workers share partitions; one for each database.",
    )
    work_directory: Path = Field(
        default=Path(tempfile.gettempdir()) / "rapport-scoring",
        description="Faust makes its folders here and keeps nothing in them: there are no tables.",
    )
    refit_hours: int = Field(
        default=168,
        ge=1,
        le=24 * 366,
        description="How often the forecast is fitted anew: weekly, for a rhythm of purchases changes slowly.",
    )
    ranking_hours: int = Field(
        default=24,
        ge=1,
        le=24 * 366,
        description="How often everybody is valued at one instant, for ranking, health figures and cohorts.",
    )
