"""Profiles, identifiers and their routes, joins and the mapping they make, assets, units."""

from rapport_shared.messaging.tables import MESSAGING_TABLES
from rapport_shared.migrations import run_sql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE profile (
    profile_id       uuid PRIMARY KEY,
    registered       boolean NOT NULL DEFAULT false,
    state            text,
    sequence         bigint NOT NULL DEFAULT 0,
    last_recorded_at timestamptz
) WITH (fillfactor = 80);

CREATE TABLE held_identifier (
    profile_id     uuid NOT NULL,
    identifier_key text NOT NULL,
    removed        boolean NOT NULL DEFAULT false,
    PRIMARY KEY (profile_id, identifier_key)
);
CREATE INDEX held_identifier_key ON held_identifier (identifier_key);

CREATE TABLE route (
    identifier_key   text PRIMARY KEY,
    identifier_type  text NOT NULL,
    target           text NOT NULL DEFAULT 'nobody' CHECK (target IN ('profile', 'nobody', 'blocked')),
    profile_id       uuid,
    route_seq        bigint NOT NULL DEFAULT 0,
    valid_from       timestamptz,
    last_recorded_at timestamptz,
    CHECK ((target = 'profile') = (profile_id IS NOT NULL))
) WITH (fillfactor = 80);

CREATE TABLE membership (
    profile_id  uuid PRIMARY KEY,
    customer_id uuid NOT NULL,
    mapping_seq bigint NOT NULL DEFAULT 0
);
CREATE INDEX membership_customer ON membership (customer_id);

CREATE TABLE customer_join (
    merge_id         uuid PRIMARY KEY,
    from_customer    uuid NOT NULL,
    into_profile     uuid NOT NULL,
    reason           text NOT NULL,
    undone           boolean NOT NULL DEFAULT false,
    last_recorded_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX customer_join_once ON customer_join (from_customer) WHERE NOT undone;

CREATE TABLE asset (
    asset_id         uuid PRIMARY KEY,
    state            text NOT NULL,
    sequence         bigint NOT NULL,
    last_recorded_at timestamptz NOT NULL
);

CREATE TABLE asset_key (
    asset_key text PRIMARY KEY,
    asset_id  uuid NOT NULL
);

CREATE TABLE unit (
    path             text PRIMARY KEY,
    state            text NOT NULL,
    sequence         bigint NOT NULL,
    last_recorded_at timestamptz NOT NULL
);
"""


def upgrade() -> None:
    """Makes the tables."""
    run_sql(MESSAGING_TABLES + TABLES)
