"""Indexes of customers by owner and of a customer's values over time, in the runs that are there; see runs.py."""

from rapport_shared.migrations import run_sql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

INDEXES = """
DO $$
DECLARE
    run_schema text;
BEGIN
    FOR run_schema IN SELECT nspname FROM pg_namespace WHERE nspname ~ '^view_[0-9]+$' LOOP
        EXECUTE format($index$
            CREATE INDEX IF NOT EXISTS customer_view_owner ON %1$I.customer_view ((identity::jsonb ->> 'owner'))
                WHERE moved_to IS NULL;
            CREATE INDEX IF NOT EXISTS fact_score ON %1$I.fact (subject, recorded_at) WHERE type = 'score.updated';
        $index$, run_schema);
    END LOOP;
END
$$;
"""


def upgrade() -> None:
    """Makes the indexes."""
    run_sql(INDEXES)
