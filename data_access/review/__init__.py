"""What reviewers do with an application: one command, one transaction."""
