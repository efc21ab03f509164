"""What the interaction service does: each command works in its caller's transaction."""
