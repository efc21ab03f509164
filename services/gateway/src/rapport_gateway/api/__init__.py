"""The routes: HTTP in, a command or a query, HTTP out."""
