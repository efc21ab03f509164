"""Relations between profiles."""

from rapport_shared.migrations import run_sql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE profile_relation (
    profile_id uuid NOT NULL,
    type       text NOT NULL,
    to_profile uuid NOT NULL,
    PRIMARY KEY (profile_id, type, to_profile)
);
"""


def upgrade() -> None:
    """Creates the table. A relation stated earlier is written there at the next change of its profile."""
    run_sql(TABLES)
