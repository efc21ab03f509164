"""The tables that every service has for its messages. A migration of each service runs one of these versions."""

MESSAGING_TABLES = """
CREATE TABLE event_log (
    event_id    uuid PRIMARY KEY,
    topic       text NOT NULL,
    type        text NOT NULL,
    aggregate   text NOT NULL,
    sequence    bigint NOT NULL CHECK (sequence >= 1),
    recorded_at timestamptz NOT NULL,
    key         bytea NOT NULL,
    headers     text NOT NULL,
    value       bytea NOT NULL CONSTRAINT event_small_enough_to_send CHECK (octet_length(value) <= 524288),
    UNIQUE (aggregate, sequence)
);

CREATE TABLE outbox (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic     text NOT NULL,
    aggregate text NOT NULL,
    key       bytea NOT NULL,
    headers   text NOT NULL,
    value     bytea,
    queued_at timestamptz NOT NULL DEFAULT now(),
    attempts  smallint NOT NULL DEFAULT 0
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_analyze_scale_factor = 0,
        autovacuum_analyze_threshold = 100000);

CREATE TABLE parked_aggregate (
    aggregate text PRIMARY KEY,
    reason    text NOT NULL,
    parked_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE consumer_cursor (
    consumer      text NOT NULL,
    topic         text NOT NULL,
    partition     integer NOT NULL,
    position      bigint NOT NULL,
    last_offset   bigint,
    last_event_id text,
    counted_from  bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (consumer, topic, partition)
) WITH (fillfactor = 50);

CREATE TABLE dead_letter (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    consumer    text NOT NULL,
    topic       text NOT NULL,
    partition   integer NOT NULL,
    "offset"    bigint NOT NULL,
    event_id    text,
    reason      text NOT NULL,
    key         bytea,
    headers     text NOT NULL,
    value       bytea,
    rejected_at timestamptz NOT NULL,
    UNIQUE (consumer, topic, partition, "offset")
);

CREATE TABLE halt (
    role      text PRIMARY KEY,
    reason    text NOT NULL,
    halted_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE idempotent_answer (
    principal  text NOT NULL,
    key        text NOT NULL,
    digest     text NOT NULL,
    status     smallint NOT NULL,
    headers    text NOT NULL,
    body       bytea NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (principal, key)
);
CREATE INDEX idempotent_answer_age ON idempotent_answer (created_at);
"""

DEAD_LETTER_DECISIONS = """
ALTER TABLE dead_letter
    ADD COLUMN state             text NOT NULL DEFAULT 'open'
                                 CHECK (state IN ('open', 'replaying', 'consumed', 'dismissed')),
    ADD COLUMN replays           integer NOT NULL DEFAULT 0,
    ADD COLUMN decided_at        timestamptz,
    ADD COLUMN written_at        timestamptz,
    ADD COLUMN malformed_headers boolean NOT NULL DEFAULT false;
CREATE INDEX dead_letter_undecided ON dead_letter (consumer, id) WHERE state IN ('open', 'replaying');
"""
"""What became of a dead letter. `written_at` is null for older dead letters; use their time of rejection."""
