"""Relations between profiles, the profiles to render after a change, and assets, in existing runs; see runs.py."""

from rapport_shared.migrations import run_sql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TABLES = """
DO $$
DECLARE
    run_schema text;
BEGIN
    FOR run_schema IN SELECT nspname FROM pg_namespace WHERE nspname ~ '^view_[0-9]+$' LOOP
        EXECUTE format($tables$
            CREATE TABLE IF NOT EXISTS %1$I.relation (
                profile_id uuid NOT NULL,
                type       text NOT NULL,
                to_profile uuid NOT NULL,
                record     text NOT NULL,
                manual     boolean NOT NULL,
                stated_at  timestamptz,
                PRIMARY KEY (profile_id, type, to_profile)
            );
            CREATE INDEX IF NOT EXISTS relation_target ON %1$I.relation (to_profile, type);
            CREATE TABLE IF NOT EXISTS %1$I.stale_customer (customer_id uuid PRIMARY KEY);
            CREATE TABLE IF NOT EXISTS %1$I.asset (
                asset_id uuid PRIMARY KEY,
                register text NOT NULL,
                sequence bigint NOT NULL
            );
            INSERT INTO %1$I.asset
            SELECT DISTINCT ON (subject) subject::uuid, data::jsonb ->> 'asset', sequence FROM %1$I.fact
            WHERE type = 'customer.asset_changed' ORDER BY subject, sequence DESC ON CONFLICT DO NOTHING;
        $tables$, run_schema);
    END LOOP;
END
$$;
"""


def upgrade() -> None:
    """Makes the tables; what was projected before shows its relations when it changes next, or in a rebuild."""
    run_sql(TABLES)
