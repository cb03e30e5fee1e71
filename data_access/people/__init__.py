"""Staff, and how people are identified."""
