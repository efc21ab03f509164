"""The SQL of accepted touchpoints and of channels that reported."""
