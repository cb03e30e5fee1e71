"""Rules of the review desk."""
