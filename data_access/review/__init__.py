"""Acts of reviewers on an application: one command, one transaction."""
