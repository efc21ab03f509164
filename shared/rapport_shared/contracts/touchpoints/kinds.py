"""Every kind of touchpoint, as one union that `kind` tells apart."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, Final, TypeAlias, get_args

from pydantic import Discriminator, Field, Tag

from rapport_shared.contracts.touchpoints import assets, commerce_touchpoints, conversation, feedback, profile
from rapport_shared.contracts.touchpoints.documents import DocumentTouchpoint
from rapport_shared.contracts.touchpoints.envelope import TouchpointEnvelope

_CUSTOM = re.compile(r"custom\.[a-z][a-z0-9_]*(\.[a-z0-9_]+)*")

ConversationTouchpoint: TypeAlias = (
    conversation.CallQueued
    | conversation.CallRinging
    | conversation.CallAnswered
    | conversation.CallTransferred
    | conversation.CallEnded
    | conversation.EmailReceived
    | conversation.EmailSent
    | conversation.EmailBounced
    | conversation.ChatMessage
    | conversation.SmsReceived
    | conversation.SmsSent
    | conversation.WebVisited
    | conversation.WebFormSubmitted
    | conversation.StoreVisited
    | conversation.FieldVisited
)
ProfileTouchpoint: TypeAlias = (
    profile.ProfileReported | profile.ConsentGiven | profile.ConsentWithdrawn | profile.WebIdentified
)
AssetTouchpoint: TypeAlias = assets.AssetDelivered | assets.AssetServiced | assets.AssetTransferred
FeedbackTouchpoint: TypeAlias = (
    feedback.SurveyAnswered | feedback.CampaignSent | feedback.CampaignResponded | feedback.ReferralMade
)
OwnTouchpoint: TypeAlias = feedback.Custom
BuiltInTouchpoint: TypeAlias = (
    ConversationTouchpoint
    | ProfileTouchpoint
    | DocumentTouchpoint
    | commerce_touchpoints.WalletReported
    | AssetTouchpoint
    | FeedbackTouchpoint
)


def _origin(value: Any) -> str:
    kind = value.get("kind") if isinstance(value, dict) else getattr(value, "kind", None)
    return "own" if isinstance(kind, str) and kind.startswith("custom.") else "built_in"


Touchpoint: TypeAlias = Annotated[
    Annotated[BuiltInTouchpoint, Field(discriminator="kind"), Tag("built_in")] | Annotated[OwnTouchpoint, Tag("own")],
    Discriminator(_origin),
]

MODEL_OF: Final[Mapping[str, type[TouchpointEnvelope]]] = MappingProxyType(
    {get_args(model.model_fields["kind"].annotation)[0]: model for model in get_args(BuiltInTouchpoint)}
)
"""The model of every kind but the deployment's own."""


def model_of(kind: str) -> type[TouchpointEnvelope] | None:
    """The model of `kind`, None for one that is neither built in nor of the form `custom.<name>`."""
    model = MODEL_OF.get(kind)
    if model is None and len(kind) <= 100 and _CUSTOM.fullmatch(kind):
        return feedback.Custom
    return model
