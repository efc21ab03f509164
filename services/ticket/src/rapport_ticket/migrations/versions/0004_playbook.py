"""The playbook: its versions, its occasions and their tickets; the owner and unit of each profile.

The topics of the customer service are read again from the beginning, for owners and units. The registers keep the
latest state in any order of arrival.
"""

from rapport_shared.migrations import run_sql
from rapport_shared.policies import POLICY_TABLES

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TABLES = """
ALTER TABLE known_profile
    ADD COLUMN owner      text,
    ADD COLUMN unit       text,
    ADD COLUMN registered boolean NOT NULL DEFAULT false,
    ADD COLUMN created_at timestamptz,
    ADD COLUMN sequence   bigint NOT NULL DEFAULT 0;
DELETE FROM consumer_cursor WHERE consumer = 'registers';

CREATE TABLE occasion (
    event_id    uuid PRIMARY KEY,
    reason      text NOT NULL,
    customer_id uuid NOT NULL,
    sequence    bigint NOT NULL,
    recorded_at timestamptz NOT NULL,
    ended_at    timestamptz
) WITH (fillfactor = 80);
CREATE UNIQUE INDEX occasion_customer ON occasion (customer_id, sequence);
CREATE INDEX occasion_age ON occasion (recorded_at);

CREATE TABLE occasion_ticket (
    event_id  uuid NOT NULL REFERENCES occasion ON DELETE CASCADE,
    play      text NOT NULL,
    ticket_id uuid NOT NULL REFERENCES ticket,
    PRIMARY KEY (event_id, play)
);
CREATE INDEX occasion_ticket_ticket ON occasion_ticket (ticket_id);
"""


def upgrade() -> None:
    """Makes the tables."""
    run_sql(POLICY_TABLES + TABLES)
