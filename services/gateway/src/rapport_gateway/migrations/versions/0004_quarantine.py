"""Indexes of the facts about the quarantine and about retractions, in the runs that are there; see runs.py."""

from rapport_shared.migrations import run_sql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

INDEXES = """
DO $$
DECLARE
    run_schema text;
BEGIN
    FOR run_schema IN SELECT nspname FROM pg_namespace WHERE nspname ~ '^view_[0-9]+$' LOOP
        EXECUTE format($index$
            CREATE INDEX IF NOT EXISTS fact_retraction ON %1$I.fact (interaction_id)
                WHERE type = 'interaction.retracted';
            CREATE INDEX IF NOT EXISTS fact_quarantine ON %1$I.fact (subject, type)
                WHERE type LIKE 'interaction.quarantine%%';
            CREATE INDEX IF NOT EXISTS fact_conflict ON %1$I.fact ((data::jsonb ->> 'conflict_of'))
                WHERE type = 'interaction.quarantined';
        $index$, run_schema);
    END LOOP;
END
$$;
"""


def upgrade() -> None:
    """Makes the indexes."""
    run_sql(INDEXES)
