"""Imports: a sheet is a channel. Each of its rows becomes touchpoints, judged as any others and sent the same way."""
