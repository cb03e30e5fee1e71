"""The ranked list of open applications."""
