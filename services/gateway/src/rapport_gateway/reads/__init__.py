"""The queries of the gateway."""
