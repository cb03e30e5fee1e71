"""Approved affiliates, near misses and cohort outcomes."""
