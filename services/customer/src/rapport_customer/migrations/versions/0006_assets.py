"""What was reported of assets, and which plate was on which asset when."""

from rapport_shared.migrations import run_sql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TABLES = """
ALTER TABLE report ADD COLUMN asset_id uuid;
CREATE INDEX report_asset ON report (asset_id) WHERE asset_id IS NOT NULL;

CREATE TABLE plate_statement (
    asset_key text NOT NULL,
    event_id  uuid NOT NULL,
    asset_id  uuid NOT NULL,
    stated_at timestamptz NOT NULL,
    PRIMARY KEY (asset_key, event_id)
);
CREATE INDEX plate_statement_event ON plate_statement (event_id);
INSERT INTO plate_statement (asset_key, event_id, asset_id, stated_at)
SELECT key ->> 'key', asset_id, asset_id, '1900-01-01Z'
FROM asset, jsonb_array_elements(state::jsonb -> 'keys') AS key WHERE key ->> 'type' = 'plate';
"""


def upgrade() -> None:
    """Creates the tables. An existing plate has been on its asset without a known begin."""
    run_sql(TABLES)
