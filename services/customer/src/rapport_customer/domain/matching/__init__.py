"""Which profiles are one customer, by probability. Pure: the caller stores features, finds candidates, and decides.

`features_of` a profile once and store them; find candidates by `blocking_keys` (and `trigram_text`); `compare` with
each; join the best whose outcome is `join`. `train` learns `Weights` from the base's own profiles, offline.
"""

from rapport_customer.domain.matching.blocking import CAP, blocking_keys, trigram_text
from rapport_customer.domain.matching.comparison import Comparison, Outcome, compare
from rapport_customer.domain.matching.features import FEATURES_VERSION, Features, features_of
from rapport_customer.domain.matching.guards import Guard
from rapport_customer.domain.matching.levels import Field
from rapport_customer.domain.matching.reasons import Reason
from rapport_customer.domain.matching.training import candidate_pairs, train
from rapport_customer.domain.matching.weights import Weights

__all__ = [
    "CAP",
    "FEATURES_VERSION",
    "Comparison",
    "Features",
    "Field",
    "Guard",
    "Outcome",
    "Reason",
    "Weights",
    "blocking_keys",
    "candidate_pairs",
    "compare",
    "features_of",
    "train",
    "trigram_text",
]
