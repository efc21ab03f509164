"""The own fields that a deployment declares, as the customer service last activated them."""

from rapport_shared.migrations import run_sql
from rapport_shared.policy_registers import REGISTER_TABLE

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Makes the table."""
    run_sql(REGISTER_TABLE)
