"""Queries on datasets, and saved views."""
