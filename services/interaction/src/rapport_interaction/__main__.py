"""`python -m rapport_interaction run | migrate`."""

from rapport_interaction.app import build
from rapport_interaction.settings import InteractionSettings
from rapport_shared.service import main

main("interaction", InteractionSettings, build)
