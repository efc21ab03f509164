"""Which hand-overs of customers were carried out."""

from rapport_shared.migrations import run_sql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE hand_over (
    event_id uuid PRIMARY KEY
);
"""


def upgrade() -> None:
    """Makes the table."""
    run_sql(TABLES)
