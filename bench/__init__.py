"""A million applications and a year of activity, and what the work on them costs."""
