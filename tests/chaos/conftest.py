"""The seed that a test's load and faults are drawn from. RAPPORT_SEED repeats what one failed with."""

import os
import random

import pytest


@pytest.fixture
def seed() -> int:
    chosen = int(os.environ.get("RAPPORT_SEED") or random.SystemRandom().randrange(2**32))
    print(f"RAPPORT_SEED={chosen}")
    return chosen
