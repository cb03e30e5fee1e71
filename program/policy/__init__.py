"""Policy settings, criteria, eligibility and what a decision rests on."""
