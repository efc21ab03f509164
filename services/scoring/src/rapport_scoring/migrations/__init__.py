"""Migrations, which travel in the package so that an image carries its own."""
