"""What facts amount to, as sums of profiles, so that an event costs what it changes.

The sums of a profile are made when it is assessed next: facts of before count at once, without a pause.
"""

from rapport_shared.migrations import run_sql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

SUMS = """
-- what the facts of a profile amount to in all; `built` names the rules that the sums were made by, and is of no rules
-- where they have to be made; `bought_on` are the ordinals of the days with a purchase
CREATE TABLE profile_total (
    profile_id        uuid PRIMARY KEY,
    built             text NOT NULL DEFAULT '',
    sums              text NOT NULL DEFAULT '{}',
    bought_on         integer[] NOT NULL DEFAULT '{}',
    earliest          timestamptz,
    latest            timestamptz,
    latest_is_history boolean NOT NULL DEFAULT false,
    last_day          date,
    first_contact_on  date,
    first_case_at     timestamptz,
    last_case_at      timestamptz
) WITH (fillfactor = 70);

CREATE TABLE profile_day (
    profile_id uuid NOT NULL,
    day        date NOT NULL,
    sums       text NOT NULL,
    PRIMARY KEY (profile_id, day)
) WITH (fillfactor = 70);

-- what a statement of a document contributes to a profile: to be taken back when other documents change it
CREATE TABLE contribution (
    event_id   uuid NOT NULL,
    profile_id uuid NOT NULL,
    days       text NOT NULL,
    invoice    text,
    placed_at  timestamptz,
    PRIMARY KEY (event_id, profile_id)
) WITH (fillfactor = 80);
CREATE INDEX contribution_invoice ON contribution (profile_id) WHERE invoice IS NOT NULL;
CREATE INDEX contribution_order ON contribution (profile_id, placed_at) WHERE placed_at IS NOT NULL;

-- the names that a statement uses: of its own document, and of those that it names
CREATE TABLE statement_name (
    system   text NOT NULL,
    number   text NOT NULL,
    family   text NOT NULL,
    event_id uuid NOT NULL,
    PRIMARY KEY (system, number, family, event_id)
);
"""

RECORDINGS = """
-- `begins_on`: the later day from which on a statement counts, `begun` once that day has come
ALTER TABLE recording ADD COLUMN begins_on date, ADD COLUMN begun boolean NOT NULL DEFAULT false;
CREATE INDEX recording_ahead ON recording (profile_id, begins_on) WHERE begins_on IS NOT NULL AND NOT begun;
CREATE INDEX recording_kept ON recording (profile_id)
    WHERE kind IN ('asset.delivered', 'asset.serviced', 'asset.transferred', 'survey.answered', 'wallet.reported');
CREATE INDEX ticket_case_newest ON ticket_case (profile_id, opened_at);
DROP INDEX ticket_case_profile;
"""

REGISTERS = """
-- the place of a profile among those of its customer, which decides on the customer's unit
ALTER TABLE profile_register ADD COLUMN registered boolean NOT NULL DEFAULT false, ADD COLUMN created_at timestamptz;
-- both are in events that were read before: they are read again, and change nothing else
DELETE FROM consumer_cursor WHERE consumer = 'value' AND topic = 'rapport.customer.events.v1';
"""


def upgrade() -> None:
    """Makes the tables. What they hold is made as customers are assessed, all of them in the background."""
    run_sql(SUMS + RECORDINGS + REGISTERS)
