"""Eligibility in SQL, and its inputs."""
