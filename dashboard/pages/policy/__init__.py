"""Policy versions, drafts and what-if."""
