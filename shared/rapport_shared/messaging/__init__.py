"""Messaging: the outbox and its relay send events, consumers with a stored cursor read them."""
