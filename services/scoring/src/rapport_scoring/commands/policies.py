"""The policies of scoring, and what each would do."""

from typing import Any, Final

from rapport_scoring.domain.dynamics.tiers import TierPolicy
from rapport_scoring.domain.dynamics.trigger_policy import TriggerPolicy
from rapport_scoring.domain.segments import SegmentPolicy
from rapport_scoring.domain.value_policy import ValuePolicy
from rapport_shared.contracts.catalogue import SCORE_POLICY_ACTIVATED
from rapport_shared.policies import PolicyKind

VALUE: Final = PolicyKind("value", ValuePolicy, SCORE_POLICY_ACTIVATED)
TIER: Final = PolicyKind("tier", TierPolicy, SCORE_POLICY_ACTIVATED)
TRIGGER: Final = PolicyKind("trigger", TriggerPolicy, SCORE_POLICY_ACTIVATED)
SEGMENT: Final = PolicyKind("segment", SegmentPolicy, SCORE_POLICY_ACTIVATED, named=True)
KINDS: Final[tuple[PolicyKind[Any], ...]] = (VALUE, TIER, TRIGGER, SEGMENT)
