"""How facts travel: outbox and relay out, cursor consumers in."""
