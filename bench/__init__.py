"""Benchmarks on a million applications and a year of activity."""
