"""What sources reported of profiles, so that a retraction brings back what the retracted report had replaced."""

from rapport_shared.migrations import run_sql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE report (
    event_id   uuid PRIMARY KEY,
    profile_id uuid NOT NULL,
    touch      text,
    retracted  boolean NOT NULL DEFAULT false,
    CHECK (retracted = (touch IS NULL))
);
CREATE INDEX report_profile ON report (profile_id) WHERE NOT retracted;
"""


def upgrade() -> None:
    """Makes the table."""
    run_sql(TABLES)
