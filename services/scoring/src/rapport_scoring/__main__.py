"""`python -m rapport_scoring run | migrate`."""

import gc

from rapport_scoring.app import build
from rapport_scoring.settings import ScoringSettings
from rapport_shared.service import main

# Assessing makes many small objects and hardly a cycle: looking for cycles after every 700 costs a tenth of it.
gc.set_threshold(50_000, 20, 20)
main("scoring", ScoringSettings, build)
