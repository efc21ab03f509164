"""How HTTP is spoken: problems, limits, scopes, commands, pages."""
