"""Queries over any source, with saved views."""
