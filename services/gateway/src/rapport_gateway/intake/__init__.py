"""Intake: the gateway checks touchpoints and sends them to Kafka."""
