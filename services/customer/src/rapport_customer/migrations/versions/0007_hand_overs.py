"""The owner of each profile, and hand-overs."""

from rapport_shared.migrations import run_sql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TABLES = """
ALTER TABLE profile ADD COLUMN owner text;
UPDATE profile SET owner = state::jsonb ->> 'owner' WHERE state::jsonb ->> 'owner' IS NOT NULL;
CREATE INDEX profile_owner ON profile (owner, profile_id) WHERE owner IS NOT NULL;

CREATE TABLE hand_over (
    hand_over_id uuid PRIMARY KEY,
    owner        text NOT NULL,
    to_owner     text NOT NULL,
    unit         text NOT NULL,
    reason       text,
    decided_by   text NOT NULL,
    handed       bigint NOT NULL,
    begun_at     timestamptz NOT NULL,
    ended_at     timestamptz
);
CREATE UNIQUE INDEX hand_over_running ON hand_over (owner) WHERE ended_at IS NULL;
"""


def upgrade() -> None:
    """Makes the column and the table."""
    run_sql(TABLES)
