"""The wire: envelope, catalogue, touchpoints, events. Nothing here does I/O."""
