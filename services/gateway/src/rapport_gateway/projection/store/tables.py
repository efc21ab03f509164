"""The tables of a run of the view."""

from rapport_gateway.view.interactions import OF_CONTACT

OF_SCORE = (
    "type IN ('score.updated', 'customer.stage_changed', 'segment.entered', 'segment.left', 'alarm.raised', "
    "'alarm.withdrawn', 'alarm.expired', 'trigger.fired', 'trigger.cleared')"
)
"""The condition of the index of a customer's score events, in the words of whoever wants to use it."""

CONTACT_INDEX = f"CREATE INDEX fact_contact ON fact (profile_id, occurred_at, event_id) WHERE {OF_CONTACT};"
"""Finds the first and the latest contacts of a profile."""
LISTED_INDEX = (
    'CREATE INDEX partial_listed ON partial (profile_id, section, rank, item COLLATE "C") WHERE rank IS NOT NULL;'
)
"""Finds the first items of a list of a profile."""
FORM = 3
"""The form in which this release keeps partials, and shows sections; see upgrade.py for earlier forms."""

RUN_TABLES = f"""
CREATE TABLE fact (
    event_id       uuid PRIMARY KEY,
    type           text NOT NULL,
    subject        text NOT NULL,
    profile_id     uuid,
    touchpoint_id  uuid,
    interaction_id uuid,
    kind           text,
    channel        text,
    occurred_at    timestamptz NOT NULL,
    recorded_at    timestamptz NOT NULL,
    sequence       bigint NOT NULL,
    data           text NOT NULL
);
CREATE INDEX fact_profile ON fact (profile_id, occurred_at DESC, event_id DESC) WHERE profile_id IS NOT NULL;
CREATE INDEX fact_touchpoint ON fact (touchpoint_id) WHERE touchpoint_id IS NOT NULL;
CREATE INDEX fact_interaction ON fact (interaction_id, occurred_at DESC, event_id DESC)
    WHERE interaction_id IS NOT NULL;
CREATE INDEX fact_retraction ON fact (interaction_id) WHERE type = 'interaction.retracted';
CREATE INDEX fact_quarantine ON fact (subject, type) WHERE type LIKE 'interaction.quarantine%';
CREATE INDEX fact_score ON fact (subject, recorded_at) WHERE type = 'score.updated';
CREATE INDEX fact_of_score ON fact (subject, occurred_at DESC, event_id DESC) WHERE {OF_SCORE};
{CONTACT_INDEX}
CREATE INDEX fact_conflict ON fact ((data::jsonb ->> 'conflict_of')) WHERE type = 'interaction.quarantined';

CREATE TABLE retraction (event_id uuid PRIMARY KEY);

CREATE TABLE membership (
    profile_id  uuid PRIMARY KEY,
    customer_id uuid NOT NULL,
    mapping_seq bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 80);
CREATE INDEX membership_customer ON membership (customer_id);

CREATE TABLE partial (
    profile_id uuid NOT NULL,
    section    text NOT NULL,
    item       text NOT NULL,
    state      text NOT NULL,
    rank       bigint,
    PRIMARY KEY (profile_id, section, item)
) WITH (fillfactor = 80);
{LISTED_INDEX}

CREATE TABLE customer_view (
    customer_id  uuid PRIMARY KEY,
    version      bigint NOT NULL,
    seq          bigint NOT NULL,
    as_of        timestamptz NOT NULL,
    moved_to     uuid,
    search_text  text NOT NULL DEFAULT '',
    units        text[] NOT NULL DEFAULT '{{}}',
    identity     text, assets text, interactions text, promises text, commerce text,
    tickets      text, value text, segments text, quality text
) WITH (fillfactor = 70);
CREATE INDEX customer_view_owner ON customer_view ((identity::jsonb ->> 'owner')) WHERE moved_to IS NULL;
CREATE INDEX customer_view_search ON customer_view USING gin (search_text public.gin_trgm_ops) WHERE moved_to IS NULL;

CREATE TABLE change (
    seq         bigint PRIMARY KEY,
    customer_id uuid NOT NULL,
    version     bigint NOT NULL,
    sections    text[] NOT NULL,
    at          timestamptz NOT NULL
);
CREATE INDEX change_age ON change (at);

CREATE TABLE relation (
    profile_id uuid NOT NULL,
    type       text NOT NULL,
    to_profile uuid NOT NULL,
    record     text NOT NULL,
    manual     boolean NOT NULL,
    stated_at  timestamptz,
    PRIMARY KEY (profile_id, type, to_profile)
);
CREATE INDEX relation_target ON relation (to_profile, type);
CREATE TABLE stale_customer (customer_id uuid PRIMARY KEY);
CREATE TABLE asset (
    asset_id uuid PRIMARY KEY,
    register text NOT NULL,
    sequence bigint NOT NULL
);

CREATE TABLE route (
    identifier_key text PRIMARY KEY,
    target         text NOT NULL,
    profile_id     uuid,
    route_seq      bigint NOT NULL
);
CREATE TABLE held_identifier (
    profile_id     uuid NOT NULL,
    identifier_key text NOT NULL,
    PRIMARY KEY (profile_id, identifier_key)
);
CREATE INDEX held_identifier_key ON held_identifier (identifier_key);
CREATE TABLE asset_key (
    asset_key  text NOT NULL,
    asset_id   uuid NOT NULL,
    holder     uuid,
    sequence   bigint NOT NULL,
    PRIMARY KEY (asset_key, asset_id)
);
CREATE TABLE unit (
    path     text PRIMARY KEY,
    state    text NOT NULL,
    sequence bigint NOT NULL
);
"""
