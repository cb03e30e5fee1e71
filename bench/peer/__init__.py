"""A minimal Django admin over the same tables, as a measure of what people could have instead.

Its own tables are in a schema of their own, which is dropped afterwards.
"""
