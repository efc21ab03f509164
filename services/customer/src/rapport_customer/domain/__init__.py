"""The rules of the customer service, without I/O."""
