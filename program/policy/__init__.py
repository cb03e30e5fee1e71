"""Policy settings, criteria, eligibility and the facts behind a decision."""
