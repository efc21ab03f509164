"""The commands of the ticket service. Each command works in its caller's transaction."""
