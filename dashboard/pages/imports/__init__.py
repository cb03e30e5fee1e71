"""Importing form exports."""
