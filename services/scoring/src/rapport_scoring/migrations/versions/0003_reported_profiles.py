"""When what a profile was registered for happened; of profiles of before it is known with their next change."""

from rapport_shared.migrations import run_sql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TABLES = """
ALTER TABLE profile_register ADD COLUMN reported_at timestamptz;
"""


def upgrade() -> None:
    """Makes the column."""
    run_sql(TABLES)
