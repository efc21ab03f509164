"""Tokens: short-lived, of one key each, and narrower than it."""

from rapport_shared.migrations import run_sql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

TABLE = """
CREATE TABLE access_token (
    token_id    uuid PRIMARY KEY,
    key_id      uuid NOT NULL REFERENCES api_key,
    digest      bytea NOT NULL UNIQUE,
    scopes      text[] NOT NULL,
    unit        text NOT NULL,
    customer_id uuid,
    expires_at  timestamptz NOT NULL,
    revoked_at  timestamptz
);
CREATE INDEX access_token_expiry ON access_token (expires_at);
"""


def upgrade() -> None:
    """Makes the table."""
    run_sql(TABLE)
