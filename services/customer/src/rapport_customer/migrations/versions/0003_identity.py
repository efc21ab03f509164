"""Merges and who decided, who must not be joined again, what may be joined; policies; what the matcher keeps."""

from rapport_shared.migrations import run_sql
from rapport_shared.policies import POLICY_TABLES

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TABLES = """
ALTER TABLE customer_join
    ADD COLUMN made_at    timestamptz,
    ADD COLUMN decided_by text,
    ADD COLUMN undone_by  text;
UPDATE customer_join SET made_at = last_recorded_at;
ALTER TABLE customer_join ALTER COLUMN made_at SET NOT NULL;
CREATE INDEX customer_join_into ON customer_join (into_profile);
CREATE INDEX customer_join_from ON customer_join (from_customer, made_at);

CREATE TABLE never_join (
    one        uuid NOT NULL,
    other      uuid NOT NULL,
    merge_id   uuid,
    decided_by text,
    decided_at timestamptz NOT NULL,
    PRIMARY KEY (one, other),
    CHECK (one < other)
);
CREATE INDEX never_join_other ON never_join (other);

CREATE TABLE merge_candidate (
    candidate_id     uuid PRIMARY KEY,
    one              uuid NOT NULL,
    other            uuid NOT NULL,
    state            text NOT NULL CHECK (state IN ('open', 'later', 'merged', 'never', 'withdrawn')),
    cause            text NOT NULL,
    probability      double precision,
    reasons          text NOT NULL,
    due_at           timestamptz,
    decided_by       text,
    sequence         bigint NOT NULL,
    last_recorded_at timestamptz NOT NULL,
    CHECK (one < other),
    UNIQUE (one, other)
);
CREATE INDEX merge_candidate_other ON merge_candidate (other);
CREATE INDEX merge_candidate_open ON merge_candidate ((coalesce(probability, 0)), candidate_id)
    WHERE state IN ('open', 'later');

CREATE EXTENSION IF NOT EXISTS pg_trgm;

CREATE TABLE match_queue (
    profile_id uuid PRIMARY KEY,
    place      bigint GENERATED ALWAYS AS IDENTITY UNIQUE
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);

CREATE TABLE match_features (
    profile_id uuid PRIMARY KEY,
    version    integer NOT NULL,
    features   text NOT NULL,
    trigrams   text NOT NULL,
    blocks     text[] NOT NULL
);
CREATE INDEX match_features_trigrams ON match_features USING gin (trigrams gin_trgm_ops);

CREATE TABLE match_block (
    block      text NOT NULL,
    profile_id uuid NOT NULL,
    PRIMARY KEY (block, profile_id)
);
"""


def upgrade() -> None:
    """Makes the tables."""
    run_sql(POLICY_TABLES + TABLES)
