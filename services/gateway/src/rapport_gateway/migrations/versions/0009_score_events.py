"""An index of the events of a customer's score, in the runs that are there; see runs.py."""

from rapport_shared.migrations import run_sql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

INDEX = """
DO $$
DECLARE
    run_schema text;
BEGIN
    FOR run_schema IN SELECT nspname FROM pg_namespace WHERE nspname ~ '^view_[0-9]+$' LOOP
        EXECUTE format($index$
            CREATE INDEX IF NOT EXISTS fact_of_score ON %1$I.fact (subject, occurred_at DESC, event_id DESC)
                WHERE type IN ('score.updated', 'customer.stage_changed', 'segment.entered', 'segment.left',
                    'alarm.raised', 'alarm.withdrawn', 'alarm.expired', 'trigger.fired', 'trigger.cleared');
        $index$, run_schema);
    END LOOP;
END
$$;
"""


def upgrade() -> None:
    """Makes the index; a customer's segments are shown when its score changes next, or in a rebuild."""
    run_sql(INDEX)
