"""How good the records of each source are, and how that has changed from day to day."""

from rapport_shared.migrations import run_sql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE source_quality (
    profile_id  uuid NOT NULL,
    system      text NOT NULL,
    record      text NOT NULL,
    unit        text NOT NULL,
    expected    smallint NOT NULL,
    filled      smallint NOT NULL,
    checked     smallint NOT NULL,
    readable    smallint NOT NULL,
    states      smallint NOT NULL,
    stands      smallint NOT NULL,
    reported_at timestamptz NOT NULL,
    PRIMARY KEY (profile_id, system, record)
);
CREATE INDEX source_quality_place ON source_quality (system, unit);

CREATE TABLE quality_day (
    day        date NOT NULL,
    system     text NOT NULL,
    unit       text NOT NULL,
    profiles   bigint NOT NULL,
    expected   bigint NOT NULL,
    filled     bigint NOT NULL,
    checked    bigint NOT NULL,
    readable   bigint NOT NULL,
    states     bigint NOT NULL,
    stands     bigint NOT NULL,
    reported   bigint NOT NULL,
    doubled    bigint NOT NULL,
    PRIMARY KEY (system, unit, day)
);
"""


def upgrade() -> None:
    """Makes the tables."""
    run_sql(TABLES)
