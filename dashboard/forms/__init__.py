"""Forms that act: each shows what an act needs, calls its verb, and keeps what was typed."""
