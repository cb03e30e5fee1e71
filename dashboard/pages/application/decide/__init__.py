"""The decision panel of an application."""
