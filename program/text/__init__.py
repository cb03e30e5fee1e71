"""Typed text: one normal form for names, links, numbers and addresses."""
