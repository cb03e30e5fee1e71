"""Messages to applicants, their delivery and templates."""
