"""The queue of open applications."""
