"""The SQL of the ticket service."""
