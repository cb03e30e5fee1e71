"""Policy drafts, publishing, withdrawal and what-if."""
