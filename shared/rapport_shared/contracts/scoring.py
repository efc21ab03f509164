"""What the scoring service publishes.

Shares, probabilities and numbers that are no money are decimal strings, so that the same facts give the same bytes.
"""

from datetime import date, datetime
from enum import StrEnum
from typing import Final, Literal
from uuid import UUID

from pydantic import Field

from rapport_shared.contracts.model import Contract
from rapport_shared.contracts.money import Amount

SILENCE: Final = "silence"
"""The kind of the alarm that tells of a customer who has been silent for too long."""


class Stage(StrEnum):
    """Where in its life a customer is; the policy `tier` of the scoring service says where one stage ends."""

    PROSPECT = "prospect"
    FIRST_ORDER = "first_order"
    DEVELOPING = "developing"
    LOYAL = "loyal"
    LIFELONG = "lifelong"
    LAPSED = "lapsed"
    WON_BACK = "won_back"


class Trigger(StrEnum):
    """What a customer can call for."""

    RETENTION = "retention"
    WIN_BACK = "win_back"
    GROWTH = "growth"
    CREDIT_WATCH = "credit_watch"


class ContemporaryValue(Contract):
    """Contemporary value per currency: Σ of the ledger lines, in all and by part (costs are negative).

    `lifetime` takes the documents dated up to the day of valuation, `last_90_days` those of the ninety days before
    it. `…_estimated` is the share of it for which a policy replaces a figure that nobody stated.
    """

    lifetime: tuple[Amount, ...]
    lifetime_parts: dict[str, tuple[Amount, ...]]
    lifetime_estimated: tuple[Amount, ...] = ()
    last_90_days: tuple[Amount, ...] = ()
    last_90_days_parts: dict[str, tuple[Amount, ...]] = Field(default_factory=dict)
    last_90_days_estimated: tuple[Amount, ...] = ()


class ReceivableDue(Amount):
    """What is open of the receivables that fall due on one day, gross; the day is one of the invoice's unit."""

    due_on: date


MOST_RECEIVABLES: Final = 10
"""The most receivables that commerce figures list, those due first."""


class CommerceFigures(Contract):
    """What the commerce documents of a customer amount to. Money is per currency; nothing depends on the reader's day.

    `orders` counts the orders that are not cancelled whole, `returned` the returns of the customer's orders that
    counted, `revenue` is net of tax, `last_order_at` the latest of `orders`. `receivable_open` is gross,
    `receivable_due` lists at most ten days on which parts of it fall due, the first due first, of
    `receivable_due_total`. `on_account` is money that settles no invoice. `waiting` counts documents that name another
    which has not come.
    """

    orders: int = 0
    returned: int = 0
    revenue: tuple[Amount, ...] = ()
    last_order_at: datetime | None = None
    receivable_open: tuple[Amount, ...] = ()
    receivable_due: tuple[ReceivableDue, ...] = ()
    receivable_due_total: int = 0
    on_account: tuple[Amount, ...] = ()
    waiting: int = 0


class PotentialValue(Contract):
    """What the customer's orders of the horizon are expected to contribute, discounted; null with a `reason`.

    `repeats`, `recency` and `age` are x, tₓ and T of the purchase model in months of 30.4375 days. `group` names the
    customers whose parameters were used: the company's own (`company`), those of a peer group, or what ships (`prior`).
    `order_contribution` is `order_value` × `contribution_rate` − `order_cost`, what an order costs whatever it is
    worth; `value` is that × `discounted_orders`, and negative where an order is expected to cost more than it brings.
    `orders_interval` has the probability 0.8, as nearly as whole numbers can; only who asks for a value gets it.
    """

    value: Amount | None
    reason: str | None = None
    model: str = "pdo_nbd+gamma_gamma"
    group: str = "prior"
    repeats: int = 0
    recency: str = "0"
    age: str = "0"
    alive: str | None = None
    expected_orders: str | None = None
    discounted_orders: str | None = None
    orders_interval: tuple[int, int] | None = None
    order_value: Amount | None = None
    contribution_rate: str | None = None
    order_cost: Amount | None = None
    order_contribution: Amount | None = None
    horizon_months: int = 60
    discount_rate: str = "0.10"


class ModelValue(Contract):
    """What could be won of the customer's wallet that rivals have; null with a `reason`.

    `wallet_per_month` is declared, observed or estimated (from `peers` customers). `won` and `lost` are the decided
    opportunities of its peers: what is learnt from it for them is counted there, and not added here.
    """

    value: Amount | None
    reason: str | None = None
    wallet_per_month: Amount | None = None
    wallet_basis: Literal["declared", "observed", "estimated"] | None = None
    peers: int = 0
    own_per_month: Amount | None = None
    orders_per_month: str | None = None
    win_rate: str | None = None
    won: int = 0
    lost: int = 0
    share_of_wallet: str | None = None
    single_sourced: bool = False


class TierState(Contract):
    """The customer's tier and the figure that decided it, on the day of valuation."""

    name: str
    measure: str
    figure: Amount | None
    next: str | None = None
    missing: Amount | None = None


class StageState(Contract):
    """The stage of the customer's life with the firm, and the day since when."""

    name: str
    since: date | None = None


class AlarmState(Contract):
    """An alarm: a fact of its episode, which begins with the purchase that is followed by silence.

    `expired` alarms were due before their rule was in force, or come from the past: they never rang.
    """

    alarm_id: UUID
    kind: str
    episode: date
    due_at: datetime
    state: Literal["pending", "raised", "withdrawn", "expired"]
    reason: str | None = None


class TriggerState(Contract):
    """An active trigger: it fired at an instant with these inputs, and has not cleared since."""

    name: str
    since: datetime
    effective: bool
    inputs: dict[str, str]


class Suggestion(Contract):
    """Something the customer may need next (`service` due, bought of a `rival`, bought by `peers`), with the counts
    that say so and the newest of the events that they rest on.

    `what` is the key of an asset, a category or an SKU; `name` the model of an asset, or its type, if one was stated.
    """

    kind: str
    what: str
    name: str | None = None
    counts: dict[str, str] = Field(default_factory=dict)
    events: tuple[UUID, ...] = ()


class ScoreUpdated(Contract):
    """A customer's value, recomputed. A replay of the facts that `facts_digest` names gives the same score.

    `as_of` is the greatest event time among the facts, or the instant of the timer that asked if that is later; None
    when no fact counts any more: that score says the same as none at all. `valued_on` is the day of that instant, at
    whose end the customer is valued. `profiles` is the composition of the customer, empty when it was merged away;
    `lines` counts the ledger lines that add up to the value, `waiting` the documents that name another which has not
    come.

    `commerce` are the figures of orders and money that `profiles` have; None in older scores.
    `total` is contemporary value of the last ninety days, potential and model value in the reporting currency.
    `parameter_version` names the forecast's parameters, the other versions the policies.
    """

    customer_id: UUID
    as_of: datetime | None
    policy_version: int
    parameter_version: int
    profiles: tuple[UUID, ...]
    contemporary: ContemporaryValue
    lines: int
    waiting: int = 0
    facts_digest: str
    valued_on: date | None = None
    commerce: CommerceFigures | None = None
    tier_policy_version: int = 0
    trigger_policy_version: int = 0
    potential: PotentialValue | None = None
    model: ModelValue | None = None
    total: Amount | None = None
    tier: TierState | None = None
    stage: StageState | None = None
    indicators: dict[str, str] = Field(default_factory=dict)
    alarms: tuple[AlarmState, ...] = ()
    triggers: tuple[TriggerState, ...] = ()
    suggestions: tuple[Suggestion, ...] = ()
    segments: tuple[str, ...] = ()


class StageChanged(Contract):
    """A customer entered another stage. `effective` is false for what happened too long ago to act on."""

    customer_id: UUID
    before: str | None
    after: str
    since: date | None
    effective: bool


class SegmentMoved(Contract):
    """What an entry into a segment, or a leave, tells: which condition flipped, and what it read.

    `condition` is the place in the policy's document; `reading` is `window` where time alone flipped it, and `gone`
    where the segment, or all that was known of the customer, is no more. `before` is missing where it is not known
    any more: after another policy, and after facts of the past came or went.
    """

    customer_id: UUID
    segment: str
    policy_version: int
    condition: str
    reading: str
    before: str | None = None
    after: str | None = None
    effective: bool


class SegmentEntered(SegmentMoved):
    """A customer became a member of a segment."""


class SegmentLeft(SegmentMoved):
    """A customer is no member of a segment any more.

    `moved_to` is the customer that it became part of, where that is a member.
    """

    moved_to: UUID | None = None


class AlarmChanged(Contract):
    """An alarm was raised, withdrawn by a purchase or an undone merge, or recorded as expired."""

    customer_id: UUID
    alarm: AlarmState


class AlarmRaised(AlarmChanged):
    """A customer was silent for longer than its rhythm explains: once an episode."""


class AlarmWithdrawn(AlarmChanged):
    """A purchase became known that the alarm did not know of, or the merge that raised the alarm was undone."""


class AlarmExpired(AlarmChanged):
    """An alarm was due before its rule was in force or too long ago: it is recorded, and rings nobody."""


class TriggerFired(Contract):
    """A reason to act came up for a customer. `effective` is false where nobody should act on it any more."""

    customer_id: UUID
    trigger: TriggerState
    policy_version: int


class TriggerCleared(TriggerFired):
    """The reason is gone. `moved_to` is the customer that it became part of, where that has the reason."""

    moved_to: UUID | None = None


class CustomerValueState(Contract):
    """Compacted: a customer's present value; `moved_to`, and no score, for a customer that was merged away.

    `version` grows with every state of the customer.
    """

    customer_id: UUID
    version: int
    score: ScoreUpdated | None = None
    moved_to: UUID | None = None


class ForecastParameters(Contract):
    """The parameters of a group of customers, as decimal strings. `company` is everybody.

    `purchases` are r, α, a, b of `model` in months, from the `source` (the group's own customers, the company's, or
    what ships); `bg_nbd` has those of versions whose model was BG/NBD. `gamma_gamma` are p, q, γ by currency, γ in
    minor units. `order_costs` are what an order costs whatever its value, in minor units by currency;
    `contribution_rate` is of the rest. `correction` multiplies expected orders.
    """

    group: str
    source: str
    model: str
    customers: int
    bg_nbd: dict[str, str] = Field(default_factory=dict)
    purchases: dict[str, str] = Field(default_factory=dict)
    gamma_gamma: dict[str, dict[str, str]]
    contribution_rate: str
    order_costs: dict[str, str] = Field(default_factory=dict)
    win_rate: str
    correction: str


class ValueParametersState(Contract):
    """Compacted, keyed by version: the parameters that a score of that version was computed with.

    `handling_cost_per_order` and `missing_cost_share` (a decimal string) replace costs that nobody stated; they are
    those of the `value` policy in force when the version was made.
    """

    version: int
    valid_from: datetime
    handling_cost_per_order: tuple[Amount, ...] = ()
    missing_cost_share: str
    fitted_until: date | None = None
    forecast: tuple[ForecastParameters, ...] = ()
