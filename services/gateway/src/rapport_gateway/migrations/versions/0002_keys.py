"""API keys: hashed, for a channel application each."""

from rapport_shared.migrations import run_sql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE api_key (
    key_id     uuid PRIMARY KEY,
    digest     bytea NOT NULL UNIQUE,
    ending     text NOT NULL,
    name       text NOT NULL,
    channel    text NOT NULL,
    scopes     text[] NOT NULL,
    unit       text NOT NULL DEFAULT '',
    may_verify text[] NOT NULL DEFAULT '{}',
    demo       boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL,
    revoked_at timestamptz
);
"""


def upgrade() -> None:
    """Makes the table."""
    run_sql(TABLES)
