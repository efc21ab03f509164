"""The services that own the facts, as the gateway asks them."""
