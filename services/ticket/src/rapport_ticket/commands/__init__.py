"""What the ticket service does: each command works in its caller's transaction."""
