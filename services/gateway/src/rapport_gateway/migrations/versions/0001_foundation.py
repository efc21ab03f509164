"""What outlives a run of the view: cursors and messages, and which run is live. A run's own tables: see runs.py."""

from rapport_shared.messaging.tables import MESSAGING_TABLES
from rapport_shared.migrations import run_sql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = """
CREATE EXTENSION IF NOT EXISTS pg_trgm;

CREATE TABLE view_run (
    run          integer PRIMARY KEY,
    state        text NOT NULL CHECK (state IN ('building', 'live', 'retired')),
    seq          bigint NOT NULL DEFAULT 0,
    published    bigint NOT NULL DEFAULT 0,
    caught_up_at timestamptz,
    begun_at     timestamptz NOT NULL DEFAULT now(),
    promoted_at  timestamptz
);
CREATE UNIQUE INDEX view_run_one_live ON view_run (state) WHERE state = 'live';

CREATE TABLE accepted_touchpoint (
    touchpoint_id uuid PRIMARY KEY,
    accepted_at   timestamptz NOT NULL
);
CREATE INDEX accepted_touchpoint_age ON accepted_touchpoint (accepted_at);
"""


def upgrade() -> None:
    """Makes the tables."""
    run_sql(MESSAGING_TABLES + TABLES)
