"""Filtered tables, groups and exports."""
