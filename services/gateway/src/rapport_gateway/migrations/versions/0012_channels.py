"""Since when touchpoints were reported on a channel of the deployment's own."""

from rapport_shared.migrations import run_sql

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE seen_channel (
    channel  text PRIMARY KEY,
    first_at timestamptz NOT NULL
);
"""


def upgrade() -> None:
    """Makes the table. A channel that was used before and has no key of its own is called new for a day."""
    run_sql(TABLES)
