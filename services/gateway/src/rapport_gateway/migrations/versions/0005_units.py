"""The units of a customer, in the runs that are there: those of all its profiles; see runs.py."""

from rapport_shared.migrations import run_sql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

UNITS = """
DO $$
DECLARE
    run_schema text;
BEGIN
    FOR run_schema IN SELECT nspname FROM pg_namespace WHERE nspname ~ '^view_[0-9]+$' LOOP
        EXECUTE format($column$
            ALTER TABLE %1$I.customer_view ADD COLUMN IF NOT EXISTS units text[] NOT NULL DEFAULT '{}'
        $column$, run_schema);
        IF EXISTS (SELECT FROM information_schema.columns WHERE table_schema = run_schema
                   AND table_name = 'customer_view' AND column_name = 'unit') THEN
            EXECUTE format($filled$
                UPDATE %1$I.customer_view SET units = ARRAY[unit] WHERE unit IS NOT NULL
            $filled$, run_schema);
        END IF;
    END LOOP;
END
$$;
"""


def upgrade() -> None:
    """Adds the column; a row that was rendered before has the one unit that it showed, until it is rendered again."""
    run_sql(UNITS)
