"""To whom profiles stand in a relation."""

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
    """Makes the table; a relation that is stated already is kept there when its profile changes next."""
    run_sql(TABLES)
