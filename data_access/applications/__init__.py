"""Applications as they are read, and what every command on one shares."""
