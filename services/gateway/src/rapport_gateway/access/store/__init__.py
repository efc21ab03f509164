"""The SQL of API keys and tokens."""
