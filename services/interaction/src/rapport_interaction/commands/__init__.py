"""Commands of the interaction service. Each command works in its caller's transaction."""
