"""Every topic and every event type: who writes it, who reads it, what keys it, how long it is kept."""

from dataclasses import dataclass
from typing import Literal

from rapport_shared.contracts import customer, gateway, interaction, policies, scoring, ticket
from rapport_shared.contracts.model import Contract

Service = Literal["customer", "interaction", "ticket", "scoring", "gateway"]
SERVICES: tuple[Service, ...] = ("customer", "interaction", "ticket", "scoring", "gateway")

_DAY_MS = 86_400_000
FOR_EVER = -1
MAX_MESSAGE_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Topic:
    """One Kafka topic. `retention_ms` is -1 for topics kept for ever; compacted topics keep the last of each key.

    `flushed` topics are written to disk before an acknowledgement where there is a single broker. Records of
    `stamped` topics carry the broker's time, not their producer's.
    """

    name: str
    owner: Service
    readers: tuple[str, ...]
    key: str
    note: str
    compacted: bool = False
    retention_ms: int = FOR_EVER
    flushed: bool = False
    stamped: bool = False

    def configuration(self, *, single_broker: bool) -> dict[str, str]:
        """The topic's settings as Kafka names them."""
        settings = {
            "cleanup.policy": "compact" if self.compacted else "delete",
            "max.message.bytes": str(MAX_MESSAGE_BYTES),
        }
        if not self.compacted:
            settings["retention.ms"] = str(self.retention_ms)
        if self.stamped:
            settings["message.timestamp.type"] = "LogAppendTime"
        if self.flushed and single_broker:
            settings["flush.messages"] = "1"
        return settings


INTAKE = Topic(
    "rapport.touchpoint.intake.v1",
    "gateway",
    ("interaction",),
    "identifier key, or any stable key",
    "touchpoints as channels report them; open to connectors",
    retention_ms=7 * _DAY_MS,
    flushed=True,
    stamped=True,
)
CUSTOMER_EVENTS = Topic(
    "rapport.customer.events.v1",
    "customer",
    ("interaction", "ticket", "scoring", "gateway"),
    "profile id, else the aggregate's id",
    "profiles, routes, joins, merge candidates, policies, assets, units",
)
INTERACTION_EVENTS = Topic(
    "rapport.interaction.events.v1",
    "interaction",
    ("interaction", "customer", "scoring", "gateway"),
    "profile id, else the touchpoint's id",
    "touchpoints as recorded, retracted, quarantined",
)
TICKET_EVENTS = Topic(
    "rapport.ticket.events.v1",
    "ticket",
    ("scoring", "gateway"),
    "profile id, of a policy its place",
    "cases of every kind",
)
SCORE_EVENTS = Topic(
    "rapport.score.events.v1",
    "scoring",
    ("ticket", "gateway"),
    "customer id, of a policy its place",
    "values, tiers, stages, alarms and segments of customers",
)
CUSTOMER_VIEW_STATE = Topic(
    "rapport.customer-view.state.v1",
    "gateway",
    ("data consumers",),
    "customer id",
    "the present unified view of each customer",
    compacted=True,
)
CUSTOMER_VALUE_STATE = Topic(
    "rapport.customer-value.state.v1",
    "scoring",
    ("data consumers",),
    "customer id",
    "the present value of each customer",
    compacted=True,
)
PROFILE_MAP_STATE = Topic(
    "rapport.profile-map.state.v1",
    "customer",
    ("data consumers",),
    "profile id",
    "the customer of each profile",
    compacted=True,
)
UNIT_STATE = Topic(
    "rapport.unit.state.v1",
    "customer",
    ("data consumers",),
    "unit path",
    "organisation units",
    compacted=True,
)
VALUE_PARAMETERS_STATE = Topic(
    "rapport.value-parameters.state.v1",
    "scoring",
    ("data consumers",),
    "version",
    "the parameters that values are computed with",
    compacted=True,
)
DEAD_LETTERS: dict[Service, Topic] = {
    service: Topic(
        f"rapport.{service}.dlq.v1",
        service,
        ("operators",),
        "as the original",
        f"what {service} rejected; a mirror of its dead letters",
        retention_ms=30 * _DAY_MS,
    )
    for service in SERVICES
}

EVENT_TOPICS = (CUSTOMER_EVENTS, INTERACTION_EVENTS, TICKET_EVENTS, SCORE_EVENTS)
STATE_TOPICS = (
    CUSTOMER_VIEW_STATE,
    CUSTOMER_VALUE_STATE,
    PROFILE_MAP_STATE,
    UNIT_STATE,
    VALUE_PARAMETERS_STATE,
)
TOPICS: tuple[Topic, ...] = (INTAKE, *EVENT_TOPICS, *STATE_TOPICS, *DEAD_LETTERS.values())

EVENT_TOPIC_OF: dict[Service, Topic] = {topic.owner: topic for topic in EVENT_TOPICS}


@dataclass(frozen=True, slots=True)
class EventType:
    """One event: its type on the wire without prefix and version, its data, its partition key, and when it happens."""

    name: str
    model: type[Contract]
    aggregate: str
    key: str
    when: str
    version: int = 1
    owner: Service | None = None

    @property
    def service(self) -> Service:
        """The service that owns the fact; it is named by the first word, save where `owner` says otherwise."""
        return self.owner or self.name.split(".", 1)[0]  # type: ignore[return-value]

    @property
    def wire(self) -> str:
        """`ce_type`."""
        return f"rapport.{self.name}.v{self.version}"

    @property
    def source(self) -> str:
        """`ce_source`."""
        return f"/rapport/{self.service}"

    @property
    def topic(self) -> Topic:
        """Where it is published."""
        return EVENT_TOPIC_OF[self.service]


_RECORDING_KEY = "profile id, of an anonymous touchpoint its own id"

PROFILE_CHANGED = EventType(
    "customer.profile_changed",
    customer.ProfileChanged,
    "profile",
    "profile id",
    "a profile was registered or its record changed",
)
IDENTIFIER_ROUTED = EventType(
    "customer.identifier_routed",
    customer.IdentifierRouted,
    "route",
    "identifier key",
    "touches by an identifier go elsewhere from now on",
)
CUSTOMER_MERGED = EventType(
    "customer.merged", customer.CustomerMerged, "merge", "merge id", "two customers became one by a join"
)
CUSTOMER_UNMERGED = EventType("customer.unmerged", customer.CustomerUnmerged, "merge", "merge id", "a join was undone")
CANDIDATE_CHANGED = EventType(
    "customer.candidate_changed",
    customer.CandidateChanged,
    "candidate",
    "candidate id",
    "two profiles may be one party, or somebody decided whether they are",
)
CUSTOMER_POLICY_ACTIVATED = EventType(
    "customer.policy_activated",
    policies.PolicyActivated,
    "policy",
    "kind, name and unit",
    "a version of a policy of matching or of own fields came into force",
)
ASSET_CHANGED = EventType(
    "customer.asset_changed",
    customer.AssetChanged,
    "asset",
    "asset id",
    "an asset was delivered, serviced or changed hands",
)
UNIT_CHANGED = EventType(
    "customer.unit_changed", customer.UnitChanged, "unit", "unit path", "an organisation unit was put"
)
INTERACTION_RECORDED = EventType(
    "interaction.recorded", interaction.InteractionRecorded, "interaction", _RECORDING_KEY, "a touchpoint was recorded"
)
INTERACTION_RETRACTED = EventType(
    "interaction.retracted",
    interaction.InteractionRetracted,
    "interaction",
    _RECORDING_KEY,
    "a recording no longer counts",
)
INTERACTION_QUARANTINED = EventType(
    "interaction.quarantined",
    interaction.InteractionQuarantined,
    "quarantine",
    "quarantine id",
    "a touchpoint could not be recorded, and why",
)
QUARANTINE_MENDED = EventType(
    "interaction.quarantine_mended",
    interaction.QuarantineMended,
    "quarantine",
    "quarantine id",
    "a quarantined touchpoint is recorded now",
)
QUARANTINE_DISMISSED = EventType(
    "interaction.quarantine_dismissed",
    interaction.QuarantineDismissed,
    "quarantine",
    "quarantine id",
    "somebody decided that a quarantined touchpoint will not be recorded",
)
TICKET_OPENED = EventType("ticket.opened", ticket.TicketOpened, "ticket", "profile id", "a case was opened")
TICKET_COMMENTED = EventType("ticket.commented", ticket.TicketCommented, "ticket", "profile id", "a remark was added")
TICKET_TRANSITIONED = EventType(
    "ticket.transitioned", ticket.TicketTransitioned, "ticket", "profile id", "a case went to another state"
)
TICKET_RESOLVED = EventType("ticket.resolved", ticket.TicketResolved, "ticket", "profile id", "a case was resolved")
TICKET_UPDATED = EventType(
    "ticket.updated", ticket.TicketUpdated, "ticket", "profile id", "fields of a case were edited"
)
TICKET_POLICY_ACTIVATED = EventType(
    "ticket.policy_activated",
    policies.PolicyActivated,
    "policy",
    "kind, name and unit",
    "a version of the playbook came into force",
)


def _of_score(name: str, model: type[Contract], when: str) -> EventType:
    """An event of a customer's score: all of a customer's are numbered together."""
    return EventType(name, model, "score", "customer id", when, owner="scoring")


SCORE_UPDATED = _of_score("score.updated", scoring.ScoreUpdated, "a customer's value was recomputed")
STAGE_CHANGED = _of_score(
    "customer.stage_changed", scoring.StageChanged, "a customer entered another stage of its life"
)
SEGMENT_ENTERED = _of_score("segment.entered", scoring.SegmentEntered, "a customer became a member of a segment")
SEGMENT_LEFT = _of_score("segment.left", scoring.SegmentLeft, "a customer is no member of a segment any more")
ALARM_RAISED = _of_score("alarm.raised", scoring.AlarmRaised, "a customer has been silent for too long")
ALARM_WITHDRAWN = _of_score(
    "alarm.withdrawn", scoring.AlarmWithdrawn, "a purchase came to light that an alarm did not know of"
)
ALARM_EXPIRED = _of_score("alarm.expired", scoring.AlarmExpired, "an alarm is too old to ring anybody")
TRIGGER_FIRED = _of_score("trigger.fired", scoring.TriggerFired, "a reason to act for a customer came up")
TRIGGER_CLEARED = _of_score("trigger.cleared", scoring.TriggerCleared, "that reason is gone")
SCORE_POLICY_ACTIVATED = EventType(
    "score.policy_activated",
    policies.PolicyActivated,
    "policy",
    "kind, name and unit",
    "a version of a policy of values, tiers, triggers or segments came into force",
    owner="scoring",
)

EVENT_TYPES: tuple[EventType, ...] = (
    PROFILE_CHANGED,
    IDENTIFIER_ROUTED,
    CUSTOMER_MERGED,
    CUSTOMER_UNMERGED,
    CANDIDATE_CHANGED,
    CUSTOMER_POLICY_ACTIVATED,
    ASSET_CHANGED,
    UNIT_CHANGED,
    INTERACTION_RECORDED,
    INTERACTION_RETRACTED,
    INTERACTION_QUARANTINED,
    QUARANTINE_MENDED,
    QUARANTINE_DISMISSED,
    TICKET_OPENED,
    TICKET_COMMENTED,
    TICKET_TRANSITIONED,
    TICKET_RESOLVED,
    TICKET_UPDATED,
    TICKET_POLICY_ACTIVATED,
    SCORE_UPDATED,
    SCORE_POLICY_ACTIVATED,
    STAGE_CHANGED,
    SEGMENT_ENTERED,
    SEGMENT_LEFT,
    ALARM_RAISED,
    ALARM_WITHDRAWN,
    ALARM_EXPIRED,
    TRIGGER_FIRED,
    TRIGGER_CLEARED,
)
EVENT_TYPE_OF: dict[str, EventType] = {event_type.wire: event_type for event_type in EVENT_TYPES}

TOUCHPOINT_REPORTED = "rapport.touchpoint.reported.v1"
"""`ce_type` of a message on the intake topic."""
GATEWAY_SOURCE = "/rapport/gateway"
"""`ce_source` of the messages there that the gateway has checked; a connector names itself."""

STATE_MODELS: dict[str, type[Contract]] = {
    CUSTOMER_VIEW_STATE.name: gateway.CustomerViewState,
    CUSTOMER_VALUE_STATE.name: scoring.CustomerValueState,
    PROFILE_MAP_STATE.name: customer.ProfileMapState,
    UNIT_STATE.name: customer.UnitState,
    VALUE_PARAMETERS_STATE.name: scoring.ValueParametersState,
}
