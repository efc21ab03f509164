"""What scoring does. Each command runs in its caller's transaction."""
