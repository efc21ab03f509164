"""The SQL of a run of the view, a module per family of tables; each works in the run's schema by its search path."""
