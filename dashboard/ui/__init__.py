"""Components for all screens; independent of pages and verbs."""
