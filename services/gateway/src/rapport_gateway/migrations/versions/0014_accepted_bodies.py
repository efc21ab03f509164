"""The digest of each accepted touchpoint, to refuse another body with the same id."""

from rapport_shared.migrations import run_sql

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the digest of the body. Existing ids have none until they are reported again."""
    run_sql("ALTER TABLE accepted_touchpoint ADD COLUMN digest bytea")
