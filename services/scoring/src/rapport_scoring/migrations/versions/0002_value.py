"""Facts besides documents, the names that documents use, decisions, timers, policies, parameters, long computations."""

from rapport_shared.migrations import run_sql
from rapport_shared.policies import POLICY_TABLES

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

FACTS = """
-- a recording that is no document has no system; `historical` ones cause nothing
ALTER TABLE recording ADD COLUMN historical boolean NOT NULL DEFAULT false, ADD COLUMN channel text;

-- every name that the statements of a profile use: of the document they state, and of those they name
CREATE TABLE document_name (
    system     text NOT NULL,
    number     text NOT NULL,
    family     text NOT NULL,
    profile_id uuid NOT NULL,
    PRIMARY KEY (system, number, family, profile_id)
);

-- profiles whose documents name each other's: both directions
CREATE TABLE profile_link (
    profile_id uuid NOT NULL,
    partner_id uuid NOT NULL,
    PRIMARY KEY (profile_id, partner_id)
);

CREATE TABLE profile_register (
    profile_id uuid PRIMARY KEY,
    sequence   bigint NOT NULL,
    unit       text,
    registered_at timestamptz,
    attributes text NOT NULL
);

CREATE TABLE ticket_case (
    ticket_id    uuid PRIMARY KEY,
    sequence     bigint NOT NULL,
    event_id     uuid NOT NULL,
    profile_id   uuid NOT NULL,
    kind         text NOT NULL,
    state        text NOT NULL,
    open         boolean NOT NULL,
    opened_at    timestamptz NOT NULL,
    changed_at   timestamptz NOT NULL,
    responded_at timestamptz,
    resolved_at  timestamptz
) WITH (fillfactor = 80);
CREATE INDEX ticket_case_profile ON ticket_case (profile_id);

-- what was known of the mapping when: `profile_mapping` is its newest row of each profile
CREATE TABLE mapping_history (
    profile_id  uuid NOT NULL,
    mapping_seq bigint NOT NULL,
    customer_id uuid NOT NULL,
    recorded_at timestamptz NOT NULL,
    PRIMARY KEY (profile_id, mapping_seq)
);
CREATE INDEX mapping_history_customer ON mapping_history (customer_id);
"""

SCORES = """
-- `timed_at`: the latest timer that asked; `due_at`: when time alone changes the score next; `generation`: of the
-- rules it was computed under; `memory`: decisions, which are recorded and never recomputed
ALTER TABLE customer_score
    ADD COLUMN timed_at   timestamptz,
    ADD COLUMN due_at     timestamptz,
    ADD COLUMN generation bigint NOT NULL DEFAULT 0,
    ADD COLUMN memory     text,
    ADD COLUMN peer_group text;
CREATE INDEX customer_score_due ON customer_score (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX customer_score_generation ON customer_score (generation) WHERE version > 0;

CREATE TABLE segment_member (
    segment     text NOT NULL,
    customer_id uuid NOT NULL,
    since       timestamptz NOT NULL,
    PRIMARY KEY (segment, customer_id)
);
CREATE INDEX segment_member_customer ON segment_member (customer_id);
"""

PARAMETERS = """
ALTER TABLE value_parameters ADD COLUMN fitted_until date, ADD COLUMN document text NOT NULL DEFAULT '{}';
"""

RUNS = """
-- long computations: asked for, carried out by one leader, kept with their result
CREATE TABLE run (
    run_id      uuid PRIMARY KEY,
    kind        text NOT NULL,
    request     text NOT NULL,
    state       text NOT NULL DEFAULT 'queued',
    done        integer NOT NULL DEFAULT 0,
    total       integer,
    result      text,
    asked_by    text NOT NULL,
    asked_at    timestamptz NOT NULL,
    finished_at timestamptz
);
CREATE INDEX run_unfinished ON run (asked_at) WHERE finished_at IS NULL;
CREATE INDEX run_kind ON run (kind, asked_at DESC);

-- what a valuation of everybody found, at one instant
CREATE TABLE valuation (
    run_id       uuid NOT NULL REFERENCES run ON DELETE CASCADE,
    customer_id  uuid NOT NULL,
    unit         text NOT NULL,
    total        bigint,
    contemporary bigint,
    potential    bigint,
    model        bigint,
    summary      text NOT NULL,
    PRIMARY KEY (run_id, customer_id)
);
CREATE INDEX valuation_total ON valuation (run_id, total DESC, customer_id) WHERE total IS NOT NULL;
CREATE INDEX valuation_contemporary ON valuation (run_id, contemporary DESC, customer_id)
    WHERE contemporary IS NOT NULL;
CREATE INDEX valuation_potential ON valuation (run_id, potential DESC, customer_id) WHERE potential IS NOT NULL;
CREATE INDEX valuation_model ON valuation (run_id, model DESC, customer_id) WHERE model IS NOT NULL;
"""

READ_ANEW = """
-- what was skipped until now is read from the beginning; what is known already changes nothing
DELETE FROM consumer_cursor WHERE consumer = 'value';
"""


def upgrade() -> None:
    """Makes the tables, and has the topics read again."""
    run_sql(POLICY_TABLES + FACTS + SCORES + PARAMETERS + RUNS + READ_ANEW)
