"""The rules of the interaction service, without I/O."""
