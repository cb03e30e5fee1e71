"""Staff, and the identity of people."""
