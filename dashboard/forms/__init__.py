"""Forms for acts: each shows what its act needs, calls its verb, and keeps what was typed."""
