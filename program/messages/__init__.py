"""Rules for messages to applicants."""
