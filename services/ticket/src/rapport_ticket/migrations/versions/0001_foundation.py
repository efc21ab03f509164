"""Tickets, and the registers kept from the customer service."""

from rapport_shared.messaging.tables import MESSAGING_TABLES
from rapport_shared.migrations import run_sql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = """
CREATE SEQUENCE ticket_number START 100001;

CREATE TABLE ticket (
    ticket_id        uuid PRIMARY KEY,
    number           text NOT NULL UNIQUE,
    profile_id       uuid NOT NULL,
    kind             text NOT NULL,
    state            text NOT NULL,
    open             boolean NOT NULL,
    owner            text,
    unit             text,
    opened_at        timestamptz NOT NULL,
    register         text NOT NULL,
    request_digest   text NOT NULL,
    opened_event_id  uuid NOT NULL,
    last_event_id    uuid NOT NULL,
    last_sequence    bigint NOT NULL,
    last_recorded_at timestamptz NOT NULL
) WITH (fillfactor = 80);
CREATE INDEX ticket_age ON ticket (opened_at, ticket_id);
CREATE INDEX ticket_left ON ticket (opened_at, ticket_id) WHERE open;
CREATE INDEX ticket_profile ON ticket (profile_id);
CREATE INDEX ticket_owner ON ticket (owner, opened_at, ticket_id) WHERE owner IS NOT NULL;

-- profiles that the customer service has named in any way
CREATE TABLE known_profile (
    profile_id uuid PRIMARY KEY
);

CREATE TABLE route (
    identifier_key text PRIMARY KEY,
    target         text NOT NULL CHECK (target IN ('profile', 'nobody', 'blocked')),
    profile_id     uuid,
    route_seq      bigint NOT NULL
) WITH (fillfactor = 80);

-- a profile without a row is its own customer
CREATE TABLE profile_customer (
    profile_id  uuid PRIMARY KEY,
    customer_id uuid NOT NULL,
    mapping_seq bigint NOT NULL
) WITH (fillfactor = 80);
CREATE INDEX profile_customer_customer ON profile_customer (customer_id);

CREATE TABLE unit (
    path         text PRIMARY KEY,
    phone_region text NOT NULL,
    sequence     bigint NOT NULL
);
"""


def upgrade() -> None:
    """Makes the tables."""
    run_sql(MESSAGING_TABLES + TABLES)
