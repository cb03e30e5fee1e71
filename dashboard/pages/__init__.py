"""The screens, a folder each: read page.py first."""
