"""Imports: the file until it is run, rows until they are forgotten, and which work was ever done."""

from rapport_shared.migrations import run_sql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE import (
    import_id      uuid PRIMARY KEY,
    state          text NOT NULL CHECK (state IN (
        'uploading', 'waiting', 'undecided', 'checked', 'running', 'done', 'failed', 'cancelled')),
    name           text NOT NULL,
    principal      uuid NOT NULL,
    may_verify     text[] NOT NULL,
    channel        text NOT NULL,
    system         text NOT NULL,
    unit           text NOT NULL DEFAULT '',
    historical     boolean NOT NULL,
    request_digest bytea,
    file_hash      bytea,
    file_bytes     bigint NOT NULL DEFAULT 0,
    mapping        text,
    resolved       text,
    work_digest    bytea,
    as_of          timestamptz,
    dated_at       timestamptz,
    report         text,
    problem        text,
    attempt        integer NOT NULL DEFAULT 0,
    rows           integer NOT NULL DEFAULT 0,
    new            integer NOT NULL DEFAULT 0,
    matching       integer NOT NULL DEFAULT 0,
    rejected       integer NOT NULL DEFAULT 0,
    sent           integer NOT NULL DEFAULT 0,
    recorded       integer NOT NULL DEFAULT 0,
    quarantined    integer NOT NULL DEFAULT 0,
    created_at     timestamptz NOT NULL,
    changed_at     timestamptz NOT NULL,
    started_at     timestamptz,
    ended_at       timestamptz,
    forgotten_at   timestamptz
);
CREATE UNIQUE INDEX import_request ON import (request_digest) WHERE request_digest IS NOT NULL;
CREATE INDEX import_newest ON import (created_at DESC, import_id DESC);
CREATE INDEX import_work_to_do ON import (created_at) WHERE state IN ('uploading', 'waiting', 'running');
CREATE INDEX import_to_forget ON import (changed_at) WHERE forgotten_at IS NULL;

CREATE TABLE import_chunk (
    import_id uuid NOT NULL REFERENCES import ON DELETE CASCADE,
    number    integer NOT NULL,
    bytes     bytea NOT NULL,
    PRIMARY KEY (import_id, number)
);

ALTER TABLE import_chunk ALTER COLUMN bytes SET STORAGE EXTERNAL;

CREATE TABLE import_row (
    import_id   uuid NOT NULL REFERENCES import ON DELETE CASCADE,
    number      integer NOT NULL,
    verdict     text NOT NULL CHECK (verdict IN ('new', 'matches', 'rejected')),
    outcome     text CHECK (outcome IN ('sent', 'recorded', 'anonymous', 'retracted', 'quarantined')),
    customer_id uuid,
    reasons     text NOT NULL,
    cells       text NOT NULL,
    ids         uuid[] NOT NULL,
    messages    text,
    PRIMARY KEY (import_id, number)
);
CREATE INDEX import_row_to_send ON import_row (import_id, number) WHERE outcome IS NULL AND verdict <> 'rejected';
CREATE INDEX import_row_on_its_way ON import_row (import_id, number) WHERE outcome = 'sent';

CREATE TABLE import_work (
    work_digest bytea PRIMARY KEY,
    as_of       timestamptz NOT NULL
);

CREATE TABLE import_mapping (
    unit       text NOT NULL,
    name       text NOT NULL,
    mapping    text NOT NULL,
    revision   integer NOT NULL DEFAULT 1,
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (unit, name)
);
"""


def upgrade() -> None:
    """Makes the tables."""
    run_sql(TABLES)
