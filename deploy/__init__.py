"""How Rapport is run: on a bare machine (`deploy.local`) and in containers."""
