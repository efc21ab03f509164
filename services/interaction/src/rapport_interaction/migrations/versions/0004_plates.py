"""Which asset a holding is of: a plate finds one vehicle after another."""

from rapport_shared.migrations import run_sql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TABLES = """
ALTER TABLE asset_holding ADD COLUMN asset_id uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000';
ALTER TABLE asset_holding DROP CONSTRAINT asset_holding_pkey;
ALTER TABLE asset_holding ADD PRIMARY KEY (asset_key, from_at, profile_id, asset_id);
CREATE INDEX asset_holding_asset ON asset_holding (asset_id);
"""


def upgrade() -> None:
    """Adds the asset; what was kept before has none, and is replaced when its asset changes next."""
    run_sql(TABLES)
