"""Touchpoints, conversations, quarantine, and the registers kept from the customer service."""

from rapport_shared.messaging.tables import MESSAGING_TABLES
from rapport_shared.migrations import run_sql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE touchpoint (
    touchpoint_id   uuid PRIMARY KEY,
    digest          text NOT NULL,
    recording       integer NOT NULL,
    event_id        uuid NOT NULL,
    interaction_id  uuid NOT NULL,
    profile_id      uuid,
    retracted       boolean NOT NULL DEFAULT false
);

-- what an anonymous touchpoint waits for: its conversation or its asset becoming known
CREATE TABLE anonymous_touchpoint (
    touchpoint_id uuid NOT NULL REFERENCES touchpoint,
    clue          text NOT NULL,
    PRIMARY KEY (clue, touchpoint_id)
);

CREATE TABLE interaction (
    interaction_id   uuid PRIMARY KEY,
    profile_id       uuid,
    last_sequence    bigint NOT NULL,
    last_recorded_at timestamptz NOT NULL
) WITH (fillfactor = 80);

CREATE TABLE conversation (
    clue       text PRIMARY KEY,
    profile_id uuid NOT NULL
);

CREATE TABLE route (
    identifier_key text PRIMARY KEY,
    target         text NOT NULL DEFAULT 'nobody' CHECK (target IN ('profile', 'nobody', 'blocked')),
    profile_id     uuid,
    route_seq      bigint NOT NULL DEFAULT 0,
    guess          uuid
) WITH (fillfactor = 80);

CREATE TABLE asset_holding (
    asset_key  text NOT NULL,
    from_at    timestamptz NOT NULL,
    profile_id uuid NOT NULL,
    PRIMARY KEY (asset_key, from_at, profile_id)
);

CREATE TABLE asset_register (
    asset_id uuid PRIMARY KEY,
    sequence bigint NOT NULL
);

CREATE TABLE unit (
    path         text PRIMARY KEY,
    phone_region text NOT NULL,
    sequence     bigint NOT NULL
);

CREATE TABLE quarantine (
    quarantine_id uuid PRIMARY KEY,
    touchpoint_id uuid,
    reason        text NOT NULL,
    errors        text NOT NULL,
    conflict_of   uuid,
    headers       text NOT NULL,
    body          bytea,
    received_at   timestamptz NOT NULL
);
CREATE INDEX quarantine_age ON quarantine (received_at, quarantine_id);
"""


def upgrade() -> None:
    """Makes the tables."""
    run_sql(MESSAGING_TABLES + TABLES)
