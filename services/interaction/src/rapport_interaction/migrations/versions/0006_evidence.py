"""What says whose a touchpoint is that names nobody: documents and devices; and the customers that profiles are of."""

from rapport_shared.migrations import run_sql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE membership (
    profile_id  uuid PRIMARY KEY,
    customer_id uuid NOT NULL,
    mapping_seq bigint NOT NULL
);

-- what is said of a document; without a profile, it is of the customer of the documents that it names
CREATE TABLE document_statement (
    document      text NOT NULL,
    touchpoint_id uuid NOT NULL,
    revision      integer NOT NULL,
    occurred_at   timestamptz NOT NULL,
    profile_id    uuid,
    names         text[] NOT NULL,
    PRIMARY KEY (document, touchpoint_id)
);
CREATE INDEX document_statement_names ON document_statement USING gin (names) WHERE profile_id IS NULL;

CREATE TABLE device_use (
    device_key    text NOT NULL,
    touchpoint_id uuid NOT NULL,
    from_at       timestamptz NOT NULL,
    profile_id    uuid NOT NULL,
    PRIMARY KEY (device_key, touchpoint_id)
);
CREATE INDEX device_use_time ON device_use (device_key, from_at, touchpoint_id);

-- touchpoints that nothing but a device says whose they are
CREATE TABLE device_touchpoint (
    device_key    text NOT NULL,
    occurred_at   timestamptz NOT NULL,
    touchpoint_id uuid NOT NULL,
    PRIMARY KEY (device_key, occurred_at, touchpoint_id)
);
"""


def upgrade() -> None:
    """Makes the tables. What was recorded before is read into them by the service, in steps, while it runs."""
    run_sql(TABLES)
