"""Trials: the effect of a policy on recorded data before activation. They change nothing."""
