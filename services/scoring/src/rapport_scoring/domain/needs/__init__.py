"""What a customer may need next, counted and not modelled."""
