"""In which form a run keeps its partials, and how often it was written."""

from rapport_shared.migrations import run_sql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

COLUMNS = """
ALTER TABLE view_run ADD COLUMN form integer NOT NULL DEFAULT 1, ADD COLUMN turn bigint NOT NULL DEFAULT 0;
"""


def upgrade() -> None:
    """Adds the columns. An existing run has the form 1: its projector brings it to the form of its release."""
    run_sql(COLUMNS)
