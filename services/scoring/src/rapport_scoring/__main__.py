"""`python -m rapport_scoring run | migrate`."""

from rapport_scoring.app import build
from rapport_scoring.settings import ScoringSettings
from rapport_shared.service import main

main("scoring", ScoringSettings, build)
