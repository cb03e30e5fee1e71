"""Eligibility in SQL, and what it rests on."""
