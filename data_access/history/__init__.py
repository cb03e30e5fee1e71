"""The history nobody can quietly change: its hash chain, its signed heads, and erasing a person."""
