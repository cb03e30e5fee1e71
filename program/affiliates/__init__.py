"""Rules for approved affiliates."""
