"""Risk signals: what the figures of an affiliate ask about, and how strongly."""
