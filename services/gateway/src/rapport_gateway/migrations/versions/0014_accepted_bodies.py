"""What an accepted touchpoint's id stands for: another body under it is refused."""

from rapport_shared.migrations import run_sql

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the digest of the body. Ids of before have none until they are reported again."""
    run_sql("ALTER TABLE accepted_touchpoint ADD COLUMN digest bytea")
