"""By which assets touchpoints found their profile, so that they follow when that was said in error."""

from rapport_shared.migrations import run_sql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE asset_attribution (
    asset_key     text NOT NULL,
    touchpoint_id uuid NOT NULL,
    PRIMARY KEY (asset_key, touchpoint_id)
);
"""


def upgrade() -> None:
    """Makes the table; a touchpoint that was attributed before stays where it is."""
    run_sql(TABLES)
