"""Answers, referrals, and the kinds that a deployment adds."""

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from rapport_shared.contracts.model import Contract
from rapport_shared.contracts.pii import Pii
from rapport_shared.contracts.touchpoints.envelope import Identifier, TouchpointEnvelope
from rapport_shared.contracts.touchpoints.fields import Code, PersonalLine, PersonalText


class Answer(Contract):
    """An answer to a survey. What a `score` means is the survey's."""

    survey: Code
    score: Annotated[int, Field(strict=True, ge=-1000, le=1000)] | None = None
    comment: PersonalText | None = None
    theme: Code | None = None


class CampaignContact(Contract):
    """A campaign that reached the customer."""

    campaign: Code


class CampaignResponse(CampaignContact):
    """What the customer did about a campaign: opened, clicked, interested, declined, …"""

    answer: Code
    comment: PersonalText | None = None


class Referral(Contract):
    """Whom the customer brought."""

    referred: Identifier
    name: PersonalLine | None = None


class SurveyAnswered(TouchpointEnvelope):
    """The customer answered a survey."""

    kind: Literal["survey.answered"]
    data: Answer


class CampaignSent(TouchpointEnvelope):
    """A campaign was sent to the customer."""

    kind: Literal["campaign.sent"]
    data: CampaignContact


class CampaignResponded(TouchpointEnvelope):
    """The customer reacted to a campaign."""

    kind: Literal["campaign.responded"]
    data: CampaignResponse


class ReferralMade(TouchpointEnvelope):
    """The customer recommended the firm to somebody."""

    kind: Literal["referral.made"]
    data: Referral


class Custom(TouchpointEnvelope):
    """A kind that the deployment registers, with the JSON Schema that its `data` then follow."""

    kind: Annotated[str, StringConstraints(max_length=100, pattern=r"^custom\.[a-z][a-z0-9_]*(\.[a-z0-9_]+)*$")]
    data: Pii[Annotated[dict[str, Any], Field(max_length=500)]] = Field(default_factory=dict)
