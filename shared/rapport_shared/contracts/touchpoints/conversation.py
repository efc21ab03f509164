"""Conversations: calls, e-mails, chats, messages, visits."""

from typing import Annotated, Literal

from pydantic import Field

from rapport_shared.contracts.model import Contract
from rapport_shared.contracts.touchpoints.envelope import TouchpointEnvelope
from rapport_shared.contracts.touchpoints.fields import (
    Code,
    Instant,
    Line,
    Money,
    PersonalLine,
    PersonalText,
    Reference,
    Seconds,
)


class Effort(Contract):
    """What a contact took, in seconds; `cost` where the channel knows it."""

    wait_s: Seconds = 0
    talk_s: Seconds = 0
    hold_s: Seconds = 0
    wrap_s: Seconds = 0
    cost: Money | None = None


class Promise(Contract):
    """What somebody of the firm promised the customer."""

    text: PersonalText
    due_at: Instant


class Exchange(Contract):
    """What any contact may carry. A kind that needs more adds it."""

    direction: Literal["inbound", "outbound"] | None = None
    effort: Effort | None = None
    outcome: Code | None = None
    subject: PersonalLine | None = None
    text: PersonalText | None = None
    notes: PersonalText | None = None
    promises: Annotated[tuple[Promise, ...], Field(max_length=50)] = ()


class Call(Exchange):
    """A moment of a call. `dialled` is the number of the firm that was called, or called from."""

    queue: Code | None = None
    dialled: Code | None = None
    agents: Annotated[tuple[Code, ...], Field(max_length=200)] = ()


class Transfer(Contract):
    """Where a call goes on."""

    to_agent: Code | None = None
    to_queue: Code | None = None
    kind: Literal["warm", "blind"] = "blind"


class TransferredCall(Call):
    """A call that was handed on."""

    transfer: Transfer | None = None


class EndedCall(Call):
    """A call that ended. `end_cause` is how: customer_hung_up, agent_hung_up, abandoned, busy, no_answer, failed, …"""

    end_cause: Code | None = None


class Message(Exchange):
    """A written message. `message_id` and `in_reply_to` are the channel's own, as in RFC 5322."""

    message_id: Line | None = None
    in_reply_to: Line | None = None


class Bounce(Message):
    """A message that came back. `reason` is the status that the other side gave."""

    reason: Line | None = None


class PageVisit(Exchange):
    """A visit of a web page."""

    page: PersonalLine | None = None
    referrer: PersonalLine | None = None


class FormSubmission(PageVisit):
    """A form that somebody sent."""

    form: Code | None = None


class Visit(Exchange):
    """Somebody came to a store, or one of the firm's people went to see a customer."""

    place: Reference | None = None


class CallQueued(TouchpointEnvelope):
    """A call waits."""

    kind: Literal["call.queued"]
    data: Call = Field(default_factory=Call)


class CallRinging(TouchpointEnvelope):
    """A call rings at `agents`."""

    kind: Literal["call.ringing"]
    data: Call = Field(default_factory=Call)


class CallAnswered(TouchpointEnvelope):
    """A call was answered by the touchpoint's `agent`."""

    kind: Literal["call.answered"]
    data: Call = Field(default_factory=Call)


class CallTransferred(TouchpointEnvelope):
    """A call was handed on."""

    kind: Literal["call.transferred"]
    data: TransferredCall = Field(default_factory=TransferredCall)


class CallEnded(TouchpointEnvelope):
    """A call ended."""

    kind: Literal["call.ended"]
    data: EndedCall = Field(default_factory=EndedCall)


class EmailReceived(TouchpointEnvelope):
    """The customer wrote."""

    kind: Literal["email.received"]
    data: Message = Field(default_factory=Message)


class EmailSent(TouchpointEnvelope):
    """The firm wrote."""

    kind: Literal["email.sent"]
    data: Message = Field(default_factory=Message)


class EmailBounced(TouchpointEnvelope):
    """What the firm wrote came back."""

    kind: Literal["email.bounced"]
    data: Bounce = Field(default_factory=Bounce)


class ChatMessage(TouchpointEnvelope):
    """One message of a chat."""

    kind: Literal["chat.message"]
    data: Message = Field(default_factory=Message)


class SmsReceived(TouchpointEnvelope):
    """The customer sent a text message."""

    kind: Literal["sms.received"]
    data: Message = Field(default_factory=Message)


class SmsSent(TouchpointEnvelope):
    """The firm sent a text message."""

    kind: Literal["sms.sent"]
    data: Message = Field(default_factory=Message)


class WebVisited(TouchpointEnvelope):
    """A page was visited."""

    kind: Literal["web.visited"]
    data: PageVisit = Field(default_factory=PageVisit)


class WebFormSubmitted(TouchpointEnvelope):
    """A form was sent."""

    kind: Literal["web.form_submitted"]
    data: FormSubmission = Field(default_factory=FormSubmission)


class StoreVisited(TouchpointEnvelope):
    """Somebody came to a store."""

    kind: Literal["store.visited"]
    data: Visit = Field(default_factory=Visit)


class FieldVisited(TouchpointEnvelope):
    """One of the firm's people went to see the customer."""

    kind: Literal["field.visited"]
    data: Visit = Field(default_factory=Visit)
