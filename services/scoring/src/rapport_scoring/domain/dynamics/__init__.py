"""What changes with time: stages, tiers, alarms of silence, triggers."""
