"""What tickets are and do, without I/O."""
