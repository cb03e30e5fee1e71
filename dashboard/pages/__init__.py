"""The screens, one folder each: read page.py first."""
