"""Recordings of commerce documents, the mapping of profiles, customers' scores, and the founding parameters."""

from rapport_shared.messaging.tables import MESSAGING_TABLES
from rapport_shared.migrations import run_sql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = """
-- one row an event: what it states, whether it was retracted; either may come first
CREATE TABLE recording (
    event_id     uuid PRIMARY KEY,
    retracted_at timestamptz,
    profile_id   uuid,
    system       text,
    family       text,
    number       text,
    kind         text,
    revision     integer,
    occurred_at  timestamptz,
    recorded_at  timestamptz,
    unit         text,
    data         text
) WITH (fillfactor = 90);
CREATE INDEX recording_profile ON recording (profile_id) WHERE profile_id IS NOT NULL;
CREATE INDEX recording_document ON recording (system, number, family) WHERE profile_id IS NOT NULL;

-- the lock of a document: statements of it may come under several profiles at once
CREATE TABLE document (
    system text NOT NULL,
    number text NOT NULL,
    family text NOT NULL,
    PRIMARY KEY (system, number, family)
);

CREATE TABLE profile_mapping (
    profile_id  uuid PRIMARY KEY,
    customer_id uuid NOT NULL,
    mapping_seq bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 80);
CREATE INDEX profile_mapping_customer ON profile_mapping (customer_id);

CREATE TABLE customer_score (
    customer_id uuid PRIMARY KEY,
    sequence    bigint NOT NULL DEFAULT 0,
    recorded_at timestamptz,
    score       text,
    version     bigint NOT NULL DEFAULT 0,
    moved_to    uuid
) WITH (fillfactor = 70);

CREATE TABLE unit (
    path      text PRIMARY KEY,
    time_zone text NOT NULL,
    sequence  bigint NOT NULL
);

CREATE TABLE value_parameters (
    version            integer PRIMARY KEY,
    valid_from         timestamptz NOT NULL,
    handling_cost      text NOT NULL,
    missing_cost_share text NOT NULL
);
"""

FOUNDING = """
INSERT INTO value_parameters (version, valid_from, handling_cost, missing_cost_share)
VALUES (1, '1970-01-01T00:00:00Z', '{"CNY": 500, "EUR": 70, "USD": 75}', '0.70');

INSERT INTO outbox (topic, aggregate, key, headers, value)
VALUES ('rapport.value-parameters.state.v1', 'rapport.value-parameters.state.v1:31', '1',
    '{"content-type": "application/json"}',
    convert_to('{"version":1,"valid_from":"1970-01-01T00:00:00Z","handling_cost_per_order":'
        '[{"amount":500,"currency":"CNY"},{"amount":70,"currency":"EUR"},{"amount":75,"currency":"USD"}],'
        '"missing_cost_share":"0.70"}', 'UTF8'));
"""


def upgrade() -> None:
    """Makes the tables and the first version of the parameters, which it publishes."""
    run_sql(MESSAGING_TABLES + TABLES + FOUNDING)
