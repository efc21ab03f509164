"""What becomes of a dead letter: it is replayed, or dismissed."""

from rapport_shared.messaging.tables import DEAD_LETTER_DECISIONS
from rapport_shared.migrations import run_sql

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Adds the columns. Existing dead letters are open."""
    run_sql(DEAD_LETTER_DECISIONS)
