"""What mending needs: the quarantine with what became of it, anonymous touchpoints in order, known profiles."""

from rapport_shared.migrations import run_sql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TABLES = """
ALTER TABLE quarantine
    ADD COLUMN kind       text,
    ADD COLUMN channel    text,
    ADD COLUMN source     text,
    ADD COLUMN state      text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'mended', 'dismissed')),
    ADD COLUMN settled_at timestamptz,
    ADD COLUMN dismissal  text;
CREATE INDEX quarantine_state ON quarantine (state, received_at, quarantine_id);
DROP INDEX quarantine_age;
CREATE INDEX quarantine_body ON quarantine (received_at) WHERE body IS NOT NULL OR headers <> '{}';

ALTER TABLE touchpoint
    ADD COLUMN channel     text,
    ADD COLUMN kind        text,
    ADD COLUMN unit        text,
    ADD COLUMN occurred_at timestamptz;
UPDATE touchpoint SET
    channel = convert_from(value, 'UTF8')::jsonb ->> 'channel',
    kind = convert_from(value, 'UTF8')::jsonb ->> 'kind',
    unit = convert_from(value, 'UTF8')::jsonb ->> 'unit',
    occurred_at = (headers::jsonb ->> 'ce_time')::timestamptz
FROM event_log WHERE event_log.event_id = touchpoint.event_id AND touchpoint.profile_id IS NULL;
CREATE INDEX touchpoint_anonymous ON touchpoint (occurred_at, touchpoint_id) WHERE profile_id IS NULL AND NOT retracted;

CREATE TABLE profile (profile_id uuid PRIMARY KEY);
"""


def upgrade() -> None:
    """Alters the tables."""
    run_sql(TABLES)
