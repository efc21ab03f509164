"""How the topics become the unified view: the one writer of a run, what it stores, rebuilds, and the state topic."""
